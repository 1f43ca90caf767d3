from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import DatasetError, KnobError
from common.records import MODALITIES
from common.transforms.reading import read_checked
from common.transforms.slices import cache
from common.transforms.slices.cache import prepare_slices
from common.transforms.slices.plan import SlicePlan, take_slices

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects that were read, in their order."""
    subjects: list[str] = []

    def read(record: dict[str, Any], modalities: Any) -> Any:
        subjects.append(record["subject"])
        return read_checked(record, modalities)

    monkeypatch.setattr(cache, "read_checked", read)
    return subjects


def test_what_is_stored_is_what_was_taken(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    (case,) = prepare_slices([record], tmp_path / "cache", gap=3)
    channels, mask, affine = read_checked(record, MODALITIES)
    expected, positions, geometry = take_slices(channels, affine, SlicePlan(gap=3), "p1")
    np.testing.assert_array_equal(np.load(case["cached"]), expected)
    assert case["positions"] == positions
    assert case["geometry"] == json.loads(json.dumps(geometry.to_dict()))
    assert case["spacing"] == [1.0, 1.0, 1.0]
    assert case["modalities"] == list(MODALITIES)
    assert mask is not None
    assert case["tumour_ml"] == pytest.approx(np.count_nonzero(mask) / 1000)
    assert {key: case[key] for key in record} == record


def test_a_case_without_a_mask_has_no_tumour_volume(write_record: Writer, tmp_path: Path) -> None:
    (case,) = prepare_slices([{**write_record(), "seg": None}], tmp_path / "cache", gap=3)
    assert case["tumour_ml"] is None


def test_the_second_time_nothing_is_read(write_record: Writer, tmp_path: Path, prepared: list[str]) -> None:
    records = [write_record("p1", 1), write_record("p2", 2)]
    first = prepare_slices(records, tmp_path / "cache", gap=3)
    assert prepare_slices(records, tmp_path / "cache", gap=3) == first
    assert sorted(prepared) == ["p1", "p2"]


@pytest.mark.parametrize(
    "change",
    [
        {"gap": 2},
        {"centre": -1},
        {"count": 2},
        {"intensity": "clip"},
        {"orientation": "LPS"},
        {"centre_of": "volume"},
        {"modalities": ("t1", "t2")},
        {"modalities": tuple(reversed(MODALITIES))},
    ],
)
def test_another_setting_is_another_case(
    write_record: Writer, tmp_path: Path, prepared: list[str], change: dict[str, Any]
) -> None:
    record = write_record()
    (one,) = prepare_slices([record], tmp_path / "cache", gap=3)
    (other,) = prepare_slices([record], tmp_path / "cache", **{"gap": 3, **change})
    assert one["cached"] != other["cached"]
    assert prepared == ["p1", "p1"]


@pytest.mark.parametrize("key", ["t2", "seg"])
def test_a_changed_file_is_prepared_anew(write_record: Writer, tmp_path: Path, prepared: list[str], key: str) -> None:
    record = write_record()
    (before,) = prepare_slices([record], tmp_path / "cache", gap=3)
    os.utime(record[key], ns=(1, 1))
    (after,) = prepare_slices([record], tmp_path / "cache", gap=3)
    assert before["cached"] != after["cached"]
    assert prepared == ["p1", "p1"]


@pytest.mark.parametrize("lost", ["case.json", "slices.npy"])
def test_an_entry_that_is_not_whole_is_prepared_anew(
    write_record: Writer, tmp_path: Path, prepared: list[str], lost: str
) -> None:
    record = write_record()
    (case,) = prepare_slices([record], tmp_path / "cache", gap=3)
    (Path(case["cached"]).parent / lost).unlink()
    assert prepare_slices([record], tmp_path / "cache", gap=3) == [case]
    assert prepared == ["p1", "p1"]


def test_all_patients_with_a_slice_outside_are_told_at_once(write_record: Writer, tmp_path: Path) -> None:
    tall = np.zeros((20, 24, 12), np.int16)
    tall[4:16, 3:21] = np.arange(12)[None, None] + 1
    records = [write_record("p1", 1), write_record("p2", 2, replace={"flair": tall}), write_record("p3", 3)]
    Path(records[2]["t1"]).write_bytes(b"")
    with pytest.raises(DatasetError) as caught:
        prepare_slices([*records, write_record("p4", 4)], tmp_path / "cache", gap=5)
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 3
    assert told[0].startswith("p1: slices at -5, +5 mm from the centre of the brain lie outside it")
    assert "the file is empty" in told[1]
    assert told[2].startswith("p4: slices at")


def test_voxels_that_are_no_number_and_unknown_labels_are_told(write_record: Writer, tmp_path: Path) -> None:
    spoiled = np.ones((20, 24, 12), np.float32)
    spoiled[3, 3, 3] = np.nan
    record = write_record(replace={"t1": spoiled, "seg": np.full((20, 24, 12), 3, np.uint8)})
    with pytest.raises(DatasetError) as caught:
        prepare_slices([record], tmp_path / "cache", gap=3)
    assert len(caught.value.problems) == 2


def test_thick_slices_may_be_mixed_with_thin_ones_but_not_large_pixels(write_record: Writer, tmp_path: Path) -> None:
    thin = [write_record("p1", 1), write_record("p2", 2)]
    thick = write_record("p3", 3, affine=np.diag([-1.0, -1.0, 3.0, 1.0]))
    cases = prepare_slices([*thin, thick], tmp_path / "cache", gap=6, count=2)
    assert [case["positions"] for case in cases] == [[3, 9], [3, 9], [5, 7]]
    coarse = write_record("p4", 4, affine=np.diag([-2.0, -2.0, 1.0, 1.0]))
    with pytest.raises(DatasetError, match=r"p4: voxels measure 2\.00 x 2\.00 mm where 1\.00 x 1\.00 mm"):
        prepare_slices([*thin, coarse], tmp_path / "cache", gap=3)


def test_a_setting_without_meaning_is_told_before_anything_is_read(
    write_record: Writer, tmp_path: Path, prepared: list[str]
) -> None:
    with pytest.raises(KnobError, match="--slice_gap"):
        prepare_slices([write_record()], tmp_path / "cache", gap=-1)
    assert prepared == []
