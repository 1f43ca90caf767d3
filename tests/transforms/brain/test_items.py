from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from common.errors import SplitError
from common.transforms.brain.cache import prepare_brains
from common.transforms.brain.items import LoadBraind, OneHotd, brain_items, brain_slice_items, brain_slices_per_subject
from common.transforms.preparation import PreparedCase, prepare_case

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def record(write_record: Writer) -> dict[str, Any]:
    return write_record()


@pytest.fixture
def case(record: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    return prepare_brains([record], tmp_path / "cache")[0]


@pytest.fixture
def expected(record: dict[str, Any]) -> PreparedCase:
    return prepare_case(record)


def test_an_item_for_each_slice_of_the_brain(case: dict[str, Any]) -> None:
    items = brain_slice_items([case])
    assert [item["slice"] for item in items] == list(range(2, 10))
    assert [item["tumour"] for item in items] == [False, False, True, True, True, True, False, False]
    assert {item["subject"] for item in items} == {"p1"}
    assert brain_slices_per_subject([case]) == {"p1": 12}


def test_a_split_over_slices_names_its_own_alone(case: dict[str, Any]) -> None:
    part = {**case, "slices": [0, 4, 11]}
    items = brain_slice_items([part])
    assert [(item["slice"], item["tumour"]) for item in items] == [(0, False), (4, True), (11, False)]
    (volume,) = brain_items([part])
    assert volume["slices"] == [0, 4, 11]
    assert volume["whole"] is False
    assert brain_slice_items([{**case, "slices": []}]) == []


@pytest.mark.parametrize("beyond", [12, 999])
def test_a_slice_that_the_volume_does_not_have(case: dict[str, Any], beyond: int) -> None:
    for items in (brain_slice_items, brain_items):
        with pytest.raises(SplitError, match=f"p1: the split names slice {beyond} of 12"):
            items([{**case, "slices": [3, beyond]}])


def test_a_slice_is_that_of_the_prepared_case(case: dict[str, Any], expected: PreparedCase) -> None:
    assert expected.classes is not None
    for item in brain_slice_items([case]):
        loaded = LoadBraind()(item)
        assert loaded["image"].dtype == loaded["label"].dtype == torch.float32
        assert loaded["image"].shape == (4, 12, 18)
        assert loaded["label"].shape == (1, 12, 18)
        index = item["slice"] - 2
        np.testing.assert_array_equal(loaded["image"].numpy(), expected.image[index].transpose(0, 2, 1))
        np.testing.assert_array_equal(loaded["label"][0].numpy(), expected.classes[index].T)


def test_a_whole_slice_puts_the_box_at_its_place(case: dict[str, Any], expected: PreparedCase) -> None:
    loaded = LoadBraind(whole_slice=True)({**brain_slice_items([case])[3]})
    whole = np.zeros((4, 20, 24), np.float32)
    whole[:, 4:16, 3:21] = expected.image[3].transpose(0, 2, 1)
    np.testing.assert_array_equal(loaded["image"].numpy(), whole)
    assert loaded["label"].shape == (1, 20, 24)
    assert loaded["label"][:, 4:16, 3:21].sum() == loaded["label"].sum() > 0


@pytest.mark.parametrize("whole_slice", [False, True])
@pytest.mark.parametrize("index", [0, 1, 10, 11])
def test_slices_outside_the_box_are_zero(case: dict[str, Any], whole_slice: bool, index: int) -> None:
    loaded = LoadBraind(whole_slice)(brain_slice_items([{**case, "slices": [index]}])[0])
    assert loaded["image"].shape == ((4, 20, 24) if whole_slice else (4, 12, 18))
    assert not loaded["image"].any()
    assert not loaded["label"].any()


def test_a_volume_is_the_stack_of_its_slices(case: dict[str, Any], expected: PreparedCase) -> None:
    (item,) = brain_items([case])
    assert item["whole"] is True
    loaded = LoadBraind()(item)
    assert loaded["image"].shape == (4, 12, 18, 8)
    assert loaded["label"].shape == (1, 12, 18, 8)
    np.testing.assert_array_equal(loaded["image"].numpy(), expected.image.transpose(1, 3, 2, 0))
    (part,) = brain_items([{**case, "slices": [0, 5, 9]}])
    some = LoadBraind()(part)
    assert some["image"].shape == (4, 12, 18, 3)
    assert not some["image"][..., 0].any()
    assert torch.equal(some["image"][..., 1:], loaded["image"][..., [3, 7]])
    assert torch.equal(some["label"][..., 1:], loaded["label"][..., [3, 7]])


def test_a_case_without_a_mask_has_no_label(record: dict[str, Any], tmp_path: Path) -> None:
    cases = prepare_brains([{**record, "seg": None}], tmp_path / "cache")
    items = brain_slice_items(cases)
    assert not any(item["tumour"] for item in items)
    assert "label" not in LoadBraind()(items[0])


def test_items_are_left_as_they_were_and_the_cache_too(case: dict[str, Any]) -> None:
    item = brain_slice_items([case])[3]
    before = dict(item)
    LoadBraind()(item)["image"].zero_()
    assert item == before
    assert LoadBraind()(item)["image"].any()


def test_one_hot_by_hand() -> None:
    label = torch.tensor([[[0.0, 3.0], [2.0, 0.0]]])
    hot = OneHotd("label", 4)({"label": label})["label"]
    assert hot.dtype == torch.float32
    assert hot.tolist() == [[[1, 0], [0, 1]], [[0, 0], [0, 0]], [[0, 0], [1, 0]], [[0, 1], [0, 0]]]
