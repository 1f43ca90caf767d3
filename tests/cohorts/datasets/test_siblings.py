from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.datasets.siblings import find_siblings, named_by_file


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize(
    ("names", "opened"),
    [
        (("p_1_flair.nii.gz", "p_1_t1.nii", "p_1_t1ce.nii.gz", "p_1_t2.nii.gz"), "p_1_t1.nii"),
        (("BraTS20_Training_007_flair.nii", "BraTS20_Training_007_t1.nii"), "BraTS20_Training_007_flair.nii"),
    ],
)
def test_names_that_differ_by_the_modality_alone(names: tuple[str, ...], opened: str, tmp_path: Path) -> None:
    touch(tmp_path, *names, "p_1_seg.nii.gz", "p_2_t2.nii.gz")
    assert sorted(find_siblings(tmp_path / opened).values()) == sorted(str(tmp_path / name) for name in names)


def test_the_names_of_brats_2023(tmp_path: Path) -> None:
    scan = "BraTS-GLI-00005-001"
    touch(
        tmp_path,
        *(f"{scan}-{name}.nii.gz" for name in ("t2f", "t1n", "t1c", "t2w", "seg")),
        "BraTS-GLI-00005-000-t1c.nii.gz",
    )
    found = find_siblings(tmp_path / f"{scan}-t1c.nii.gz")
    assert {key: Path(path).name for key, path in found.items()} == {
        "flair": f"{scan}-t2f.nii.gz",
        "t1": f"{scan}-t1n.nii.gz",
        "t1ce": f"{scan}-t1c.nii.gz",
        "t2": f"{scan}-t2w.nii.gz",
    }
    assert named_by_file(tmp_path / f"{scan}-t1c.nii.gz")["subject"] == "BraTS-GLI-00005"


@pytest.mark.parametrize("name", ["scan.nii.gz", "_flair.nii.gz", "p1_seg.nii.gz", "p1_flair.mha"])
def test_a_name_that_tells_no_modality(name: str, tmp_path: Path) -> None:
    touch(tmp_path, name)
    assert find_siblings(tmp_path / name) == {}
