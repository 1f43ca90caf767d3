from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from common.errors import SplitError
from common.transforms.brain.cache import prepare_brains
from common.transforms.masks.cache import prepare_masks
from common.transforms.masks.items import LoadMaskSliced, mask_items, tumour_channels

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def record(write_record: Writer) -> dict[str, Any]:
    return write_record()


@pytest.fixture
def case(record: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    (case,) = prepare_masks([record], tmp_path / "cache")
    return {**case, "label": 2, "clinical": [0.5]}


def test_an_item_for_each_slice_with_tumour(case: dict[str, Any]) -> None:
    items = mask_items([case])
    assert [item["slice"] for item in items] == [4, 5, 6, 7]
    assert all(item["tumour"] for item in items)
    assert {(item["subject"], item["label"]) for item in items} == {("p1", 2)}
    everything = mask_items([case], empty_slices=True)
    assert [item["slice"] for item in everything] == list(range(12))
    assert [item["tumour"] for item in everything] == [4 <= index <= 7 for index in range(12)]


def test_a_split_over_slices_names_its_own_alone(case: dict[str, Any]) -> None:
    part = {**case, "slices": [0, 5, 11]}
    assert [item["slice"] for item in mask_items([part])] == [5]
    assert [item["slice"] for item in mask_items([part], empty_slices=True)] == [0, 5, 11]
    assert mask_items([{**case, "slices": [0, 11]}]) == []
    with pytest.raises(SplitError, match="p1: the split names slice 12 of 12"):
        mask_items([{**case, "slices": [5, 12]}])


def test_a_case_without_any_tumour_is_not_lost(case: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    nothing = {**case, "subject": "p2", "tumour_voxels": [[0, 0, 0]] * 12}
    with caplog.at_level(logging.WARNING):
        items = mask_items([case, nothing])
    assert [item["slice"] for item in items if item["subject"] == "p2"] == list(range(12))
    assert not any(item["tumour"] for item in items if item["subject"] == "p2")
    assert "No tumour in the masks of p2:" in caplog.text
    assert [item["slice"] for item in mask_items([{**nothing, "slices": [3, 4]}])] == [3, 4]


def test_a_slice_shows_the_three_classes_at_their_place(case: dict[str, Any], record: dict[str, Any]) -> None:
    truth = np.asanyarray(nib.load(record["seg"]).dataobj)
    for item in mask_items([case], empty_slices=True):
        loaded = LoadMaskSliced()(item)
        assert loaded["image"].dtype == torch.float32
        assert loaded["image"].shape == (3, 20, 24)
        for channel, value in enumerate((1, 2, 4)):
            np.testing.assert_array_equal(loaded["image"][channel].numpy(), truth[..., item["slice"]] == value)
        assert loaded["clinical"].tolist() == [0.5]


def test_masks_beside_images_give_the_same_items(case: dict[str, Any], record: dict[str, Any], tmp_path: Path) -> None:
    cases = prepare_brains([record], tmp_path / "cache")
    for alone, beside in zip(mask_items([case], True), mask_items(cases, True), strict=True):
        assert (alone["slice"], alone["tumour"]) == (beside["slice"], beside["tumour"])
        assert torch.equal(LoadMaskSliced()(alone)["image"], LoadMaskSliced()(beside)["image"])


def test_channels_by_hand() -> None:
    assert tumour_channels(np.array([[0, 1], [2, 3]], np.uint8)).tolist() == [
        [[0, 1], [0, 0]],
        [[0, 0], [1, 0]],
        [[0, 0], [0, 1]],
    ]
