from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from common.cohorts import read_cohort
from common.cohorts.reading import scan_cohort
from common.errors import DatasetError, KnobError
from tests.facts import in_order


@pytest.fixture
def root(tmp_path, write_patient):
    for number in (1, 2, 3):
        write_patient(tmp_path / f"BraTS20_Training_00{number}")
    return tmp_path


def subjects(**knobs: object) -> list[str]:
    return [record["subject"][-3:] for record in read_cohort(**knobs)]


@pytest.mark.parametrize(
    ("exclude", "left"),
    [
        (None, ["001", "002", "003"]),
        ("", ["001", "002", "003"]),
        ("BraTS20_Training_002", ["001", "003"]),
        (" BraTS20_Training_001, BraTS20_Training_003 ,", ["002"]),
        (["BraTS20_Training_001", "BraTS20_Training_002"], ["003"]),
    ],
)
def test_exclude(root, exclude, left):
    assert subjects(dataset_dir=root, exclude=exclude) == left


def test_an_unknown_name_is_refused_with_its_near_matches(root):
    with pytest.raises(KnobError, match=r"'BraTS20_Training_0001' is no patient.*Did you mean .*BraTS20_Training_001"):
        read_cohort(root, exclude="BraTS20_Training_0001,BraTS20_Training_002")
    with pytest.raises(KnobError, match="names such as BraTS20_Training_001"):
        read_cohort(root, exclude="x")


def test_all_unknown_names_are_told(root):
    with pytest.raises(KnobError) as error:
        read_cohort(root, exclude="x,y")
    assert len(error.value.problems) == 2


def test_excluding_a_bad_patient_lets_the_others_go_on(root):
    (root / "BraTS20_Training_001" / "BraTS20_Training_001_t1.nii.gz").unlink()
    (root / "BraTS20_Training_003" / "BraTS20_Training_003_t1.nii.gz").write_bytes(b"nonsense")
    with pytest.raises(DatasetError) as error:
        read_cohort(root)
    assert len(error.value.problems) == 2
    assert subjects(dataset_dir=root, exclude=["BraTS20_Training_001", "BraTS20_Training_003"]) == ["002"]


def test_excluding_everybody(root):
    with pytest.raises(DatasetError, match="no patient is left"):
        read_cohort(root, exclude=[f"BraTS20_Training_00{number}" for number in (1, 2, 3)])


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_data_set(nothing):
    with pytest.raises(KnobError, match="Pass --dataset_dir"):
        read_cohort(nothing)


def test_a_datalist_replaces_the_folder(root, tmp_path):
    folder = root / "BraTS20_Training_002"
    files = {key: str(folder / f"{folder.name}_{key}.nii.gz") for key in ("flair", "t1", "t1ce", "t2", "seg")}
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"subject": "p1", **files}]))
    assert [record["subject"] for record in read_cohort(dataset_dir="/nowhere", datalist=path)] == ["p1"]
    with pytest.raises(DatasetError, match="no patient is left"):
        read_cohort(datalist=path, exclude="p1")


def test_the_users_folder_is_left_as_it_was(root, write_volume):
    write_volume(root / "BraTS20_Training_002" / "BraTS20_Training_002_t1.nii.gz", np.ones((2, 2, 2), np.int16))
    before = snapshot(root)
    with pytest.raises(DatasetError):
        read_cohort(root)
    assert snapshot(root) == before


def test_equal_results_each_time(root):
    assert read_cohort(root) == read_cohort(str(root))


def snapshot(root: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in root.rglob("*")}


def test_an_excluded_patient_goes_with_all_scans_and_an_excluded_scan_alone(tmp_path, write_volume):
    for name in ("BraTS-GLI-00005-000", "BraTS-GLI-00005-001", "BraTS-GLI-00007-000"):
        for key in ("t2f", "t1n", "t1c", "t2w", "seg"):
            labels = np.resize(np.array([0, 1, 2, 3], np.uint8), (6, 5, 4))
            write_volume(tmp_path / name / f"{name}-{key}.nii.gz", labels if key == "seg" else None)

    def left(exclude: str) -> list[str]:
        return [record["scan"][-9:] for record in read_cohort(tmp_path, exclude=exclude)]

    assert left("BraTS-GLI-00005") == ["00007-000"]
    assert left("BraTS-GLI-00005-000") == ["00005-001", "00007-000"]
    with pytest.raises(KnobError, match=r"'BraTS-GLI-00006' is no patient.*Did you mean .*BraTS-GLI-00005"):
        read_cohort(tmp_path, exclude="BraTS-GLI-00006")


def test_the_headers_of_every_scan_are_checked(tmp_path, write_volume):
    for name in ("BraTS-GLI-00005-000", "BraTS-GLI-00005-001"):
        for key in ("t2f", "t1n", "t1c", "t2w", "seg"):
            write_volume(tmp_path / name / f"{name}-{key}.nii.gz")
    (tmp_path / "BraTS-GLI-00005-000" / "BraTS-GLI-00005-000-t1c.nii.gz").write_bytes(b"nonsense")
    records, problems = scan_cohort(tmp_path)
    assert [record["scan"] for record in records] == ["BraTS-GLI-00005-001"]
    (problem,) = problems
    assert "BraTS-GLI-00005-000-t1c" in str(problem)


def test_a_second_scan_with_the_files_of_the_first_is_told(tmp_path, write_volume):
    for name in ("BraTS-GLI-00005-000", "BraTS-GLI-00005-001"):
        for key in ("t2f", "t1n", "t1c", "t2w", "seg"):
            write_volume(tmp_path / name / f"{name}-{key}.nii.gz", np.full((6, 5, 4), len(key), np.int16))
    (problem,) = scan_cohort(tmp_path)[1]
    assert in_order(str(problem), "BraTS-GLI-00005-001", "same file", "BraTS-GLI-00005-000")
