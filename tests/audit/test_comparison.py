"""Known leaks, and none, in splits written by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from common.audit.comparison import Audit, audit_split
from common.audit.readers.folders import read_folders
from common.audit.remarks import remarks_of
from common.audit.split import Case, Division, Split
from common.errors import DatasetError
from tests.copies.near_copies import COPIES, make_slice, save

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def audit_ids(train: list[str], test: list[str], pattern: str | None = None) -> Audit:
    cases = {name: Case(name) for name in [*train, *test]}
    division = Division("", {"train": tuple(train), "test": tuple(test)})
    return audit_split(Split("by hand", Path("x"), cases, (division,)), pattern, ids_only=True)


def voxels(seed: int) -> np.ndarray:
    array = np.zeros((9, 8, 7), np.int16)
    array[2:7, 2:6, 2:6] = np.random.default_rng(seed).integers(1, 900, (5, 4, 4))
    return array


def found(audit: Audit) -> dict[tuple[str, str], str]:
    """The kind of every pair."""
    (comparison,) = audit.comparisons
    return {(match.second, match.first): match.kind for match in comparison.matches}


def test_the_same_id_on_both_sides():
    audit = audit_ids(["a", "b"], ["b", "c", "d", "e"])
    assert found(audit) == {("b", "b"): "case"}
    (comparison,) = audit.comparisons
    assert (comparison.touched, comparison.share, dict(comparison.counts)) == (1, 0.25, {"case": 1})
    assert audit.leaks


def test_one_patient_under_two_ids():
    audit = audit_ids(["BraTS-GLI-00001-000", "BraTS-GLI-00002-000"], ["BraTS-GLI-00001-001", "BraTS-GLI-00003-000"])
    assert found(audit) == {("BraTS-GLI-00001-001", "BraTS-GLI-00001-000"): "patient"}
    assert audit.comparisons[0].patients == ("BraTS-GLI-00001",)
    assert not audit_ids(["BraTS-GLI-00001-000"], ["BraTS-GLI-00003-000"]).leaks


def test_other_slices_of_a_patient_are_counted_and_one_is_shown():
    audit = audit_ids(["p1_z1", "p1_z2", "p1_z3", "p2_z1"], ["p1_z4", "p1_z5", "p3_z1"], pattern=r"p\d")
    (comparison,) = audit.comparisons
    assert (comparison.touched, comparison.patients) == (2, ("p1",))
    assert [(match.second, match.first, match.others) for match in comparison.matches] == [
        ("p1_z4", "p1_z1", 2),
        ("p1_z5", "p1_z1", 2),
    ]


def test_ids_that_look_alike_are_told_and_are_no_leak():
    audit = audit_ids(["001", "x", "X"], ["1", "y"])
    assert not audit.leaks
    (told,) = (remark for remark in remarks_of(audit) if "differ only" in remark)
    assert "'001' and '1'" in told
    assert "'x'" not in told  # both on one side


def test_three_sides_are_compared_two_by_two():
    cases = {name: Case(name) for name in "abc"}
    sides = {"train": ("a",), "validation": ("a", "b"), "test": ("b", "c")}
    audit = audit_split(Split("by hand", Path("x"), cases, (Division("", sides),)), ids_only=True)
    assert [(found.sides, found.touched) for found in audit.comparisons] == [
        (("train", "validation"), 1),
        (("train", "test"), 0),
        (("validation", "test"), 1),
    ]


def test_scans_under_other_names(tmp_path, write_volume):
    one, moved, turned, other = (voxels(seed) for seed in range(4))
    write_volume(tmp_path / "train/same.nii.gz", one)
    write_volume(tmp_path / "test/bytes.nii.gz", one)
    write_volume(tmp_path / "test/as_float.nii.gz", one.astype(np.float32))
    write_volume(tmp_path / "train/moved.nii.gz", moved)
    write_volume(tmp_path / "test/shifted.nii.gz", np.roll(moved, 1, axis=0))
    write_volume(tmp_path / "train/turned.nii.gz", turned)
    write_volume(tmp_path / "test/stored_in_lps.nii.gz", turned[::-1, ::-1], LPS)
    write_volume(tmp_path / "test/other.nii.gz", other)
    audit = audit_split(read_folders(tmp_path))
    assert found(audit) == {
        ("test/bytes", "train/same"): "file",
        ("test/as_float", "train/same"): "voxels",
        ("test/shifted", "train/moved"): "moved",
        ("test/stored_in_lps", "train/turned"): "voxels",
    }
    (comparison,) = audit.comparisons
    assert (comparison.sizes, comparison.touched) == ((3, 5), 4)
    assert dict(comparison.counts) == {"file": 1, "voxels": 2, "moved": 1}


def test_one_shared_channel_is_enough(tmp_path, write_volume):
    for channel in range(2):
        write_volume(tmp_path / f"train/a_000{channel}.nii.gz", voxels(channel))
        write_volume(tmp_path / f"test/b_000{channel}.nii.gz", voxels(10 * channel))  # the first is that of a
    stacked = np.stack([voxels(7), voxels(1)], axis=-1)
    write_volume(tmp_path / "test/c.nii.gz", stacked)
    assert found(audit_split(read_folders(tmp_path))) == {
        ("test/b", "train/a"): "file",
        ("test/c", "train/a"): "voxels",
    }


def test_empty_volumes_are_no_evidence(tmp_path, write_volume):
    for name in ("train/a", "test/b"):
        write_volume(tmp_path / f"{name}.nii.gz", np.zeros((9, 8, 7), np.int16))
    audit = audit_split(read_folders(tmp_path))
    # Byte for byte they may be equal all the same.
    assert {match.kind for match in audit.comparisons[0].matches} <= {"file"}


@pytest.fixture
def pictures(tmp_path):
    """Kaggle's layout with three copies across its sides, in a class each, and one within a side."""
    kinds = {"rotated 90": 1, "brightened": 2, "half size": 3}
    for seed in range(1, 8):
        save(make_slice(seed), tmp_path / "Training" / "glioma" / f"{seed}.jpg")
    for kind, seed in kinds.items():
        save(COPIES[kind](make_slice(seed)), tmp_path / "Testing" / "no" / f"copy{seed}.jpg")
    save(COPIES["mirrored"](make_slice(7)), tmp_path / "Training" / "no" / "mirrored7.jpg")
    for seed in (21, 22):
        save(make_slice(seed), tmp_path / "Testing" / "no" / f"{seed}.jpg")
    return tmp_path


def test_copies_of_pictures(pictures):
    audit = audit_split(read_folders(pictures))
    assert found(audit) == {
        (f"Testing/no/copy{seed}.jpg", f"Training/glioma/{seed}.jpg"): "picture" for seed in (1, 2, 3)
    }
    (comparison,) = audit.comparisons
    assert (comparison.touched, comparison.sizes[1]) == (3, 5)
    assert "rotated" in comparison.matches[0].pair.transform


def test_pictures_without_a_copy_do_not_leak(pictures):
    for path in pictures.glob("Testing/no/copy*"):
        path.unlink()
    assert not audit_split(read_folders(pictures)).leaks


def test_equal_names_of_files_are_told_and_are_no_leak(tmp_path):
    for seed, side in enumerate(("train", "test")):
        save(make_slice(seed), tmp_path / side / "image1.jpg")
    audit = audit_split(read_folders(tmp_path))
    assert not audit.leaks
    assert any(remark.endswith("image1") for remark in remarks_of(audit))


def test_what_cannot_be_read_is_summed_up(tmp_path, write_volume):
    write_volume(tmp_path / "train" / "a.nii.gz")
    for number in range(5):
        for name in (f"{number}.nii.gz", f"{number}.png"):
            path = tmp_path / "test" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"no image at all")
    with pytest.raises(DatasetError) as error:
        audit_split(read_folders(tmp_path))
    assert len(error.value.problems) == 10
    assert [line for line in error.value.summary().splitlines() if "2 more" in line]


def test_each_file_is_decoded_once(tmp_path, write_volume, monkeypatch):
    from common.audit import contents

    for name in ("train/a", "test/b"):
        write_volume(tmp_path / f"{name}.nii.gz")
    opened = []
    read = contents.read_nifti
    monkeypatch.setattr(contents, "read_nifti", lambda path: (opened.append(path), read(path))[1])
    audit_split(read_folders(tmp_path))
    assert sorted(map(str, opened)) == [str(tmp_path / f"{name}.nii.gz") for name in ("test/b", "train/a")]
