from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.cohorts import read_cohort
from common.errors import DatasetError, KnobError, OutputError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2020_hdf5 import HDF5
from common.transforms.brain import cache
from common.transforms.brain.cache import prepare_brains
from common.transforms.cases import common_spacing
from common.transforms.masks.cache import prepare_masks
from common.transforms.preparation import prepare_case

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects that were prepared anew, in their order."""
    subjects: list[str] = []

    def prepare(record: dict[str, Any], *args: Any) -> Any:
        subjects.append(record["subject"])
        return prepare_case(record, *args)

    monkeypatch.setattr(cache, "prepare_case", prepare)
    return subjects


def test_what_is_stored_is_what_was_prepared(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    (case,) = prepare_brains([record], tmp_path / "cache")
    expected = prepare_case(record)
    assert expected.classes is not None
    np.testing.assert_array_equal(np.load(case["cached"]), expected.image)
    np.testing.assert_array_equal(np.load(case["cached_mask"]), expected.classes)
    assert case["geometry"]["shape"] == [20, 24, 12]
    assert case["geometry"]["start"] == [4, 3, 2]
    assert {key: case[key] for key in record} == record


def test_tumour_voxels_are_counted_for_each_slice_of_the_whole_volume(write_record: Writer, tmp_path: Path) -> None:
    mask = np.zeros((20, 24, 12), np.uint8)
    mask[5:7, 5, 3] = 1
    mask[8, 8, 3] = 2
    mask[9:12, 9:11, 9] = 4
    (case,) = prepare_brains([write_record(replace={"seg": mask})], tmp_path / "cache")
    expected = [[0, 0, 0] for _ in range(12)]
    expected[3], expected[9] = [2, 1, 0], [0, 0, 6]
    assert case["tumour_voxels"] == expected


def test_the_second_time_nothing_is_read(write_record: Writer, tmp_path: Path, prepared: list[str]) -> None:
    records = [write_record("p1", 1), write_record("p2", 2)]
    first = prepare_brains(records, tmp_path / "cache")
    assert sorted(prepared) == ["p1", "p2"]
    assert prepare_brains(records, tmp_path / "cache") == first
    assert len(prepared) == 2


@pytest.mark.parametrize("key", ["t1", "seg"])
def test_a_changed_file_is_prepared_anew(write_record: Writer, tmp_path: Path, prepared: list[str], key: str) -> None:
    record = write_record(seed=1)
    (before,) = prepare_brains([record], tmp_path / "cache")
    other = Path(write_record("other", 2)[key]).read_bytes()
    Path(record[key]).write_bytes(other)
    (after,) = prepare_brains([record], tmp_path / "cache")
    assert prepared == ["p1", "p1"]
    assert after["cached"] != before["cached"]
    array = "cached" if key == "t1" else "cached_mask"
    assert not np.array_equal(np.load(after[array]), np.load(before[array]))


def test_a_file_of_the_same_size_and_another_time_is_prepared_anew(
    write_record: Writer, tmp_path: Path, prepared: list[str]
) -> None:
    record = write_record()
    prepare_brains([record], tmp_path / "cache")
    os.utime(record["t2"], ns=(1, 1))
    prepare_brains([record], tmp_path / "cache")
    assert prepared == ["p1", "p1"]


@pytest.mark.parametrize("change", [{"mask_values": [4, 2, 1]}, {"seg": None}])
def test_another_setting_is_another_case(
    write_record: Writer, tmp_path: Path, prepared: list[str], change: dict[str, Any]
) -> None:
    record = write_record()
    (one,) = prepare_brains([record], tmp_path / "cache")
    (other,) = prepare_brains([{**record, **change}], tmp_path / "cache")
    assert one["cached"] != other["cached"]
    assert (other["cached_mask"] is None) == ("seg" in change)
    (fewer,) = prepare_brains([record], tmp_path / "cache", modalities=("t1", "t2"))
    assert np.load(fewer["cached"]).shape[1] == 2
    assert len(prepared) == 3


@pytest.mark.parametrize("lost", ["case.json", "slices.npy", "mask.npy"])
def test_an_entry_that_is_not_whole_is_prepared_anew(
    write_record: Writer, tmp_path: Path, prepared: list[str], lost: str
) -> None:
    record = write_record()
    (case,) = prepare_brains([record], tmp_path / "cache")
    entry = Path(case["cached"]).parent
    (entry / lost).unlink()
    if lost == "case.json":
        (entry / "slices.npy").write_bytes(b"half")
    assert prepare_brains([record], tmp_path / "cache") == [case]
    assert prepared == ["p1", "p1"]
    np.testing.assert_array_equal(np.load(case["cached"]), prepare_case(record).image)


def test_broken_patients_are_told_all_at_once_and_leave_nothing(
    write_record: Writer, tmp_path: Path, prepared: list[str]
) -> None:
    records = [write_record(name, seed) for seed, name in enumerate(("p1", "p2", "p3"))]
    Path(records[0]["t1"]).write_bytes(b"")
    Path(records[2]["seg"]).unlink()
    with pytest.raises(DatasetError) as caught:
        prepare_brains(records, tmp_path / "cache")
    assert [str(problem.where) for problem in caught.value.problems] == [records[0]["t1"], records[2]["seg"]]
    assert len(list((tmp_path / "cache").glob("case-*"))) == 1
    prepared.clear()
    prepare_brains([records[1]], tmp_path / "cache")
    assert prepared == []


def test_an_interrupted_store_is_no_case(
    write_record: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepared: list[str]
) -> None:
    record = write_record()
    save = np.save

    def interrupted(path: Path, array: np.ndarray) -> None:
        save(path, array)
        if array.ndim == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare_brains([record], tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("slices.npy"))
    (case,) = prepare_brains([record], tmp_path / "cache")
    assert prepared == ["p1", "p1"]
    assert np.load(case["cached"]).shape == (8, 4, 18, 12)


def test_a_cache_that_cannot_be_written(write_record: Writer, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        prepare_brains([write_record()], tmp_path / "cache")


def test_mixed_voxel_sizes_are_refused(write_record: Writer, tmp_path: Path) -> None:
    thick = np.diag([-1.0, -1.0, 3.0, 1.0])
    records = [write_record("p1", 1), write_record("p2", 2), write_record("p3", 3, affine=thick)]
    with pytest.raises(DatasetError) as caught:
        prepare_brains(records, tmp_path / "cache")
    assert str(caught.value).startswith("p3: voxels measure 1.00 x 1.00 x 3.00 mm where 1.00 x 1.00 x 1.00 mm")
    cases = prepare_brains(records[2:], tmp_path / "cache")
    assert common_spacing(cases) == [1.0, 1.0, 3.0]


def test_the_tumours_volume_in_millilitres(write_record: Writer, tmp_path: Path) -> None:
    mask = np.zeros((20, 24, 12), np.uint8)
    mask[5:10, 5:10, 3:7] = 4
    record = write_record(replace={"seg": mask}, affine=np.diag([-1.0, -1.0, 2.0, 1.0]))
    for (case,) in (prepare_brains([record], tmp_path / "cache", ["t1"]), prepare_masks([record], tmp_path / "cache")):
        assert case["tumour_ml"] == pytest.approx(5 * 5 * 4 * 2 / 1000)
    (case,) = prepare_brains([{**record, "seg": None}], tmp_path / "cache")
    assert case["tumour_ml"] is None


def test_slices_come_as_kaggle_standardised_them(tmp_path: Path) -> None:
    """P3's own input: what the HDF5 files hold, also where the same patients are read from NIfTI files."""
    h5py = pytest.importorskip("h5py")
    make_brats_phantoms(tmp_path / "hdf5", patients=1, shape=(64, 64, 24), seed=0, layout=HDF5)
    (record,) = read_cohort(tmp_path / "hdf5")
    (case,) = prepare_brains([record], tmp_path / "cache", standardise_by="slice")
    assert (case["geometry"]["start"], case["geometry"]["stop"]) == ([0, 0, 0], [64, 64, 24])
    stored = np.load(case["cached"])
    for index in (0, 11, 23):
        (path,) = (tmp_path / "hdf5").rglob(f"volume_*_slice_{index}.h5")
        with h5py.File(path) as file:
            published = np.asarray(file["image"])
        np.testing.assert_allclose(stored[index].transpose(2, 1, 0), published, rtol=1e-3, atol=1e-4)  # float16
    assert np.abs(stored[11]).max() > 1
    (usual,) = prepare_brains([record], tmp_path / "cache")
    assert usual["cached"] != case["cached"]
    assert usual["tumour_voxels"] == case["tumour_voxels"]
    assert usual["mask_on_background"] == case["mask_on_background"]


def test_there_is_no_other_intensity(write_record: Writer, tmp_path: Path) -> None:
    with pytest.raises(KnobError, match="'slices' is no choice"):
        prepare_brains([write_record()], tmp_path / "cache", standardise_by="slices")
