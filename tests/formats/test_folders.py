from __future__ import annotations

from pathlib import Path

import pytest

from common.errors import DatasetError
from common.formats.folders import find_nifti, list_folder, require_folder, require_list, tell_contents, walk_tree


def make(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def found(root: Path, depth: int) -> tuple[dict[str, list[str]], list[str]]:
    tree = walk_tree(root, lambda name: name.startswith("P"), ("table.csv",), depth)
    patients = {name: [str(path.relative_to(root)) for path in folders] for name, folders in tree.patients.items()}
    return patients, [str(path.relative_to(root)) for path in tree.tables]


def test_patients_and_tables_as_deep_as_asked(tmp_path: Path) -> None:
    make(tmp_path, "P1/a", "P1/P9/a", "x/P1/a", "x/y/P2/a", "Table.CSV", "x/table.csv", "P1/table.csv", ".hidden/P3/a")
    assert found(tmp_path, 1) == ({"P1": ["P1"]}, ["Table.CSV", "x/table.csv"])
    assert found(tmp_path, 3) == ({"P1": ["P1", "x/P1"], "P2": ["x/y/P2"]}, ["Table.CSV", "x/table.csv"])
    assert found(tmp_path / "P1", 3) == ({"P1": ["."]}, [])


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "closed/P1/a", "open/P2/a")
    listed = Path.iterdir

    def iterdir(path: Path):
        if path.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    tree = walk_tree(tmp_path, lambda name: name.startswith("P"), (), 3)
    assert list(tree.patients) == ["P2"]
    (problem,) = tree.problems
    assert problem.where == str(tmp_path / "closed") and "permission denied" in problem.what


def test_what_is_no_folder_and_what_is_no_list(tmp_path: Path) -> None:
    make(tmp_path, "file")
    with pytest.raises(DatasetError, match=r"is a file, not a folder.*--datalist"):
        require_folder(tmp_path / "file")
    with pytest.raises(DatasetError, match="there is no such folder"):
        walk_tree(tmp_path / "absent", bool, (), 1)
    with pytest.raises(DatasetError, match="there is no such file"):
        require_list(tmp_path)
    require_folder(tmp_path)
    require_list(tmp_path / "file")


def test_hidden_files_and_what_macos_adds_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, "b", "a", ".DS_Store", "__MACOSX/c", "._a")
    assert [path.name for path in list_folder(tmp_path)] == ["a", "b"]
    assert tell_contents([]) == "is empty"
    assert tell_contents(list_folder(tmp_path)) == "holds a, b"


def test_a_file_by_its_stem(tmp_path: Path) -> None:
    make(tmp_path, "P1_T1.nii", "P1_t2.nii.gz", "P1_t1ce.nii.bak")
    contents = list_folder(tmp_path)
    assert find_nifti(contents, "p1_t1") == tmp_path / "P1_T1.nii"
    assert find_nifti(contents, "P1_t2") == tmp_path / "P1_t2.nii.gz"
    assert find_nifti(contents, "P1_t1ce") is None
    make(tmp_path, "P1_t2.nii")
    with pytest.raises(DatasetError, match=r"P1_t2\.nii and P1_t2\.nii\.gz"):
        find_nifti(list_folder(tmp_path), "P1_t2")


def test_a_folder_that_is_named_as_the_file_in_it(tmp_path: Path) -> None:
    make(tmp_path, "P1_seg.nii/W39_1998.09.19_Segm.nii", "P1_seg.nii/notes.txt")
    assert find_nifti(list_folder(tmp_path), "P1_seg") == tmp_path / "P1_seg.nii" / "W39_1998.09.19_Segm.nii"
    make(tmp_path, "P1_seg.nii/other.nii.gz")
    with pytest.raises(DatasetError, match="2 NIfTI files"):
        find_nifti(list_folder(tmp_path), "P1_seg")
