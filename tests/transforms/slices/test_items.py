from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset

from common.errors import SplitError
from common.transforms.shared_items import case_items
from common.transforms.slices.cache import prepare_slices
from common.transforms.slices.items import LoadSlicesd

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def case(write_record: Writer, tmp_path: Path) -> dict[str, Any]:
    (case,) = prepare_slices([write_record()], tmp_path / "cache", gap=3)
    return {**case, "label": 1, "clinical": [0.25, 1.0]}


def test_an_item_a_patient_with_all_modalities(case: dict[str, Any]) -> None:
    (item,) = case_items([case])
    assert item == {"subject": "p1", "label": 1, "clinical": [0.25, 1.0], "cached": case["cached"]}
    loaded = LoadSlicesd()(item)
    stored = np.load(case["cached"])
    assert loaded["image"].dtype == torch.float32
    assert loaded["image"].shape == (12, 20, 24)
    for modality in range(4):
        for position in range(3):
            plane = loaded["image"][modality * 3 + position].numpy()
            np.testing.assert_array_equal(plane, stored[modality, position].T)


def test_an_item_a_modality(case: dict[str, Any]) -> None:
    items = case_items([case, {**case, "subject": "p2", "scan": "p2-000"}], per_modality=True)
    assert [(item["subject"], item["modality"]) for item in items] == [(s, m) for s in ("p1", "p2") for m in range(4)]
    assert items[7]["scan"] == "p2-000"
    stack = LoadSlicesd()(case_items([case])[0])["image"]
    for item in items[:4]:
        image = LoadSlicesd()(item)["image"]
        assert torch.equal(image, stack[item["modality"] * 3 :][:3])


def test_a_split_over_images_names_its_own_alone(case: dict[str, Any]) -> None:
    items = case_items([{**case, "images": [1, 3]}], per_modality=True)
    assert [item["modality"] for item in items] == [1, 3]
    assert case_items([{**case, "images": []}], per_modality=True) == []
    with pytest.raises(SplitError, match="p1: the split names modality 4 of 4"):
        case_items([{**case, "images": [0, 4]}], per_modality=True)
    with pytest.raises(SplitError, match="over single modalities"):
        case_items([{**case, "images": [1, 3]}])


def test_a_batch_is_made_of_the_cache_alone(case: dict[str, Any]) -> None:
    for name in case["modalities"]:
        Path(case[name]).unlink()
    cases = [case, {**case, "label": 0, "clinical": [0.5, 0.0]}]
    (batch,) = DataLoader(Dataset(case_items(cases), LoadSlicesd()), batch_size=2)
    assert batch["image"].shape == (2, 12, 20, 24)
    assert batch["label"].tolist() == [1, 0]
    assert batch["clinical"].dtype == torch.float32
    assert batch["clinical"].tolist() == [[0.25, 1.0], [0.5, 0.0]]


def test_items_and_cache_are_left_as_they_were(case: dict[str, Any]) -> None:
    (item,) = case_items([case])
    before = dict(item)
    LoadSlicesd()(item)["image"].zero_()
    assert item == before
    assert LoadSlicesd()(item)["image"].any()
