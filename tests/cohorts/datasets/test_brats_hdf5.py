"""Kaggle's HDF5 slices as a cohort: who is there, what is missing, what was recorded."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from common.cohorts import read_cohort
from common.cohorts.datasets.brats import read_brats
from common.cohorts.datasets.brats_hdf5 import find_slices, scan_hdf5
from common.cohorts.datasets.data_set import EVERYTHING
from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import scan_cohort
from common.errors import DatasetError, KnobError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2020_hdf5 import HDF5
from common.records import MODALITIES
from common.reports.checkups.cohort import describe_cohort, measure_case
from common.shortcuts.traits import find_traits
from common.transforms.preparation import prepare_case
from tests.facts import in_order

FILES = (*MODALITIES, "seg", "source")


@pytest.fixture(scope="session")
def slices_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first three patients of ``phantom_dir`` as HDF5 slices: read it, never write into it."""
    root = tmp_path_factory.mktemp("hdf5")
    make_brats_phantoms(root, patients=3, shape=(64, 64, 24), seed=0, layout=HDF5)
    return root


@pytest.fixture
def own_dir(slices_dir: Path, tmp_path: Path) -> Path:
    """A copy to spoil; the slices lie in it directly."""
    return Path(shutil.copytree(slices_dir / "BraTS2020_training_data" / "content" / "data", tmp_path / "data"))


def told(root: Path, **knobs: object) -> list[str]:
    return [str(problem) for problem in scan_cohort(root, **knobs)[1]]


def test_patients_are_those_of_the_nifti_files_to_the_last_voxel(slices_dir: Path, phantom_dir: Path) -> None:
    records, others = read_cohort(slices_dir), read_brats(phantom_dir)[:3]
    assert [record["source"] for record in records] == ["brats2020_hdf5"] * 3
    for record, other in zip(records, others, strict=True):
        known = {key: value for key, value in record.items() if key not in FILES}
        assert known == {key: value for key, value in other.items() if key not in FILES}
        case, expected = prepare_case(record), prepare_case(other)
        np.testing.assert_array_equal(case.image, expected.image)
        np.testing.assert_array_equal(case.classes, expected.classes)
        assert case.geometry == expected.geometry


def test_one_modality_alone(slices_dir: Path) -> None:
    record = read_cohort(slices_dir, modalities=["t2"], exclude=["BraTS20_Training_001"])[0]
    assert record["subject"] == "BraTS20_Training_002"
    assert {key for key in FILES if key in record} == {"t2", "seg", "source"}
    assert prepare_case(record, ["t2"]).image.shape[1] == 1


def test_an_unknown_patient_cannot_be_excluded(slices_dir: Path) -> None:
    with pytest.raises(KnobError, match=r"Did you mean .*BraTS20_Training_001"):
        read_cohort(slices_dir, exclude="BraTS20_Training_01")


def test_everything_that_is_missing_is_told_at_once(own_dir: Path) -> None:
    (own_dir / "volume_1_slice_7.h5").unlink()
    (own_dir / "volume_2_slice_23.h5").unlink()
    middle = own_dir / "volume_3_slice_12.h5"
    middle.write_bytes(middle.read_bytes()[:3000])
    one, two, three = told(own_dir)
    assert in_order(one, "volume_1_slice_*.h5", "23 slices", "24, without 7.")
    assert "--exclude BraTS20_Training_001" in one
    assert in_order(two, "volume_2_slice_*.h5", "23 slices", "24, without 23")
    assert f"{middle}: the file is truncated, or no HDF5 file" in three


def test_a_slice_too_much_befalls_its_own_volume_alone(own_dir: Path) -> None:
    shutil.copy(own_dir / "volume_2_slice_3.h5", own_dir / "volume_2_slice_999.h5")
    (problem,) = told(own_dir)
    assert in_order(problem, "volume_2_slice_*.h5", "25 slices", "24, 999 too much")


def test_a_damaged_slice_that_nobody_opened_is_told_once_when_the_case_is_prepared(own_dir: Path) -> None:
    (own_dir / "volume_1_slice_5.h5").write_bytes(b"nonsense")
    with h5py.File(own_dir / "volume_1_slice_6.h5", "w") as file:
        file["image"] = np.zeros((60, 64, 4))
        file["mask"] = np.zeros((60, 64, 3), np.uint8)
    record = read_cohort(own_dir)[0]
    with pytest.raises(DatasetError) as error:
        prepare_case(record)
    (problem,) = error.value.problems
    assert str(problem).startswith(f"{own_dir / 'volume_1_slice_5.h5'}: the file is truncated, or no HDF5 file")
    (own_dir / "volume_1_slice_5.h5").write_bytes((own_dir / "volume_1_slice_4.h5").read_bytes())
    with pytest.raises(DatasetError, match=r"volume_1_slice_6\.h5.* 60x64 .* 64x64"):
        prepare_case(record)
    assert measure_case(record)[0] is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"mask": (64, 64, 3)}, "has no dataset image (it holds mask)"),
        ({}, "has no dataset image (it holds nothing)"),
        ({"image": (64, 64, 4)}, "has no dataset mask (it holds image)"),
        ({"image": (64, 64, 3), "mask": (64, 64, 3)}, "its image has shape 64x64x3 where x, y and 4 channels"),
        ({"image": (64, 64, 4), "mask": (64, 64)}, "its mask has shape 64x64 where x, y and 3 channels"),
    ],
)
def test_a_slice_of_another_form(own_dir: Path, content: dict[str, tuple[int, ...]], what: str) -> None:
    with h5py.File(own_dir / "volume_2_slice_12.h5", "w") as file:
        for name, shape in content.items():
            file[name] = np.zeros(shape)
    problems = told(own_dir)
    assert any(f"volume_2_slice_12.h5: {what}" in problem for problem in problems)
    assert all("volume_2_" in problem for problem in problems)


def test_unlabelled_slices(own_dir: Path) -> None:
    for path in own_dir.glob("volume_1_*.h5"):
        with h5py.File(path, "a") as file:
            del file["mask"]
    (problem,) = told(own_dir)
    assert "has no dataset mask" in problem
    records = read_cohort(own_dir, need_seg=False)
    assert ["seg" in record for record in records] == [False, True, True]
    assert prepare_case(records[0]).classes is None


def test_classes_that_overlap_are_refused(own_dir: Path) -> None:
    with h5py.File(own_dir / "volume_1_slice_9.h5", "a") as file:
        file["mask"][3, 4] = 1, 0, 1
    with pytest.raises(DatasetError, match="the mask holds unknown labels: 5"):
        prepare_case(read_cohort(own_dir)[0])


def test_a_patient_in_two_folders_and_one_under_two_numbers(own_dir: Path) -> None:
    for index in range(24):
        shutil.copy(own_dir / f"volume_1_slice_{index}.h5", own_dir / f"volume_9_slice_{index}.h5")
    (problem,) = told(own_dir)
    assert in_order(problem, "BraTS20_Training_009", "same file", "BraTS20_Training_001")
    shutil.copytree(own_dir, own_dir / "copy")
    assert sum("the same volume is also in" in problem for problem in told(own_dir)) == 4


def test_slices_and_nifti_files_in_one_folder_are_refused(own_dir: Path) -> None:
    (own_dir / "BraTS20_Training_001").mkdir()
    assert any("HDF5 slices and patients with NIfTI files" in problem for problem in told(own_dir))


def test_slices_too_deep_are_not_found(own_dir: Path) -> None:
    root = own_dir.parent
    deep = root / "a" / "b" / "c" / "d"
    deep.parent.mkdir(parents=True)
    own_dir.rename(deep)
    assert len(find_slices(root).volumes) == 3
    deep.rename(deep.parent / "e")
    (deep.parent / "d").mkdir()
    (deep.parent / "e").rename(deep.parent / "d" / "e")
    assert not find_slices(root).volumes
    with pytest.raises(DatasetError, match="no HDF5 slice is in it"):
        scan_hdf5(root, EVERYTHING)


def test_without_h5py_one_message_says_what_to_install(slices_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DatasetError, match=r"h5py, which is not installed\. Install it: pip install h5py") as error:
        read_cohort(slices_dir)
    assert len(error.value.problems) == 1


def test_reports_cope(slices_dir: Path, phantom_dir: Path) -> None:
    records = read_cohort(slices_dir)
    assert all(map(is_phantom, records))
    described = describe_cohort(records)
    assert "64x64x24" in described
    assert "LPS" in described
    assert "3 are phantoms" in described
    nifti = read_brats(phantom_dir)[0]
    assert find_traits([records[0], nifti], "grade").keys() == {
        "the data set",
        "the file extension",
        "the number type on disk",
    }
