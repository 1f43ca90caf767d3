from __future__ import annotations

from pathlib import Path

import pytest

from common.audit.readers.folders import read_folders
from common.audit.readers.reading import Source, read_split
from common.errors import DatasetError
from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms


def test_sides_with_classes_below(tmp_path, write_image):
    for name in ("Training/glioma/a.png", "Training/no/b.jpg", "Testing/glioma/a.png"):
        write_image(tmp_path / "archive" / name)
    (tmp_path / "archive" / "Testing" / "notes.txt").write_text("x")
    (division,) = read_split(Source(tmp_path)).divisions
    assert division.sides == {
        "train": ("Training/glioma/a.png", "Training/no/b.jpg"),
        "test": ("Testing/glioma/a.png",),
    }


def test_the_files_of_a_scan_are_one_case(tmp_path, write_patient, write_volume):
    write_patient(tmp_path / "train" / "p1")
    for name in ("val/p2/flair.nii.gz", "val/p2/t1.nii.gz", "test/c_0000.nii", "test/c_0001.nii", "test/d_t1.nii"):
        write_volume(tmp_path / name)
    cases = read_split(Source(tmp_path)).cases
    assert {name: len(case.files) for name, case in cases.items()} == {
        "train/p1": 4,  # its mask is no image
        "val/p2": 2,
        "test/c": 2,
        "test/d": 1,
    }


def test_a_folder_of_a_class_is_no_scan(tmp_path, write_volume):
    for name in ("train/glioma/glioma_001.nii.gz", "train/glioma/glioma_002.nii.gz", "test/glioma/glioma_003.nii.gz"):
        write_volume(tmp_path / name)
    assert set(read_split(Source(tmp_path)).cases) == {
        "train/glioma/glioma_001",
        "train/glioma/glioma_002",
        "test/glioma/glioma_003",
    }


def test_series_of_dicom_files(tmp_path):
    for side in ("train", "test"):
        make_rsna_phantoms(tmp_path / "made" / side, patients=1, shape=(16, 16, 16))
    cases = read_split(Source(tmp_path / "made")).cases
    assert all(len(case.files) == 1 and Path(*case.files).is_dir() for case in cases.values())
    assert any(name.endswith("/FLAIR") for name in cases)


def test_masks_and_what_macos_adds_are_no_images(tmp_path, write_volume, write_image):
    for name in ("imagesTr/a", "labelsTr/a", "imagesTs/b"):
        write_volume(tmp_path / f"{name}.nii.gz")
    write_image(tmp_path / "imagesTr" / "a_mask.png")
    write_image(tmp_path / "imagesTs" / "mask" / "b.png")
    (tmp_path / "imagesTs" / "._b.nii.gz").write_bytes(b"x")
    assert set(read_split(Source(tmp_path)).cases) == {"imagesTr/a", "imagesTs/b"}


def test_one_side_is_no_split(tmp_path, write_image):
    write_image(tmp_path / "train" / "a.png")
    with pytest.raises(DatasetError, match="holds train"):
        read_split(Source(tmp_path))


def test_a_side_without_images_is_told(tmp_path, write_image):
    write_image(tmp_path / "train" / "a.png")
    (tmp_path / "test").mkdir()
    with pytest.raises(DatasetError, match="test: holds no image"):
        read_split(Source(tmp_path))


@pytest.mark.parametrize("source", [Source(Path("nowhere")), Source(Path(), images=Path("nowhere"))])
def test_what_is_not_there(source):
    with pytest.raises(DatasetError, match="there is no such"):
        read_split(source)


@pytest.mark.parametrize("links", [{"train/loop": "train"}, {"train/up": "."}, {"train/a": "x", "x/b": "train"}])
def test_links_that_lead_back_bring_no_case_again(tmp_path, write_image, links):
    for name in ("train/one.png", "test/two.png", "x/three.png"):
        write_image(tmp_path / name)
    for link, target in links.items():
        (tmp_path / link).symlink_to(tmp_path / target)
    names = set(read_folders(tmp_path).cases)
    assert names == {"train/one.png", "test/two.png", *(["train/a/three.png"] if "train/a" in links else [])}
