from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.datasets.registry import data_set_named, data_sets, find_data_set, source_name, tell_terms
from common.cohorts.reading import KINDS, read_cohort
from common.errors import DatasetError


def lay_out(root: Path, files: list[str]) -> None:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["BraTS2021_00000/BraTS2021_00000_t1.nii.gz"], "brats2021"),
        (["HGG/Brats18_A_1_1/Brats18_A_1_1_t1.nii.gz", "HGG/Brats18_A_1_1/preview.png"], "brats2018"),
        (["data/volume_1_slice_0.h5", "preview/one.png"], "brats2020_hdf5"),
        (["BraTS20_Training_001/x.nii", "data/volume_1_slice_0.h5"], "brats2020_hdf5"),  # whose reader tells both
        (["IXI002-Guys-0828-T1.nii.gz"], "ixi"),
        (["train/00000/FLAIR/Image-1.dcm", "train_labels.csv"], "rsna_miccai"),
        (["00000/t1wce/Image-1.png"], "rsna_miccai"),  # exported, and one side's folder alone
        (["yes/y1.jpg", "no/1 no.jpeg"], "br35h"),
        (["set/training/glioma/a.PNG", "set/training/none/b.PNG"], "br35h"),
        (["12345/a.png", "00000/b.png"], "br35h"),  # classes that are named as patients
        (["TCGA_CS_1/a_1.tif", "TCGA_CS_1/a_1_mask.tif"], "masks_beside_slices"),
        (["images/1.png", "images/2.png", "masks/1.png", "masks/2.png"], "masks_beside_slices"),
        (["set/Training/image/7.jpg", "set/Training/Mask/7.png"], "masks_beside_slices"),
        (["yes/y1.jpg", "no/1.jpg", "masks/yes/y1.png"], "br35h"),  # classes, whose masks lie apart
        (["images/1.png", "masks/9.png"], "br35h"),  # classes of such names
        (["sub-01/anat/sub-01_T1w.nii.gz", "dataset_description.json"], "bids"),
        (["imagesTr/liver_0.nii.gz", "labelsTr/liver_0.nii.gz", "dataset.json"], "decathlon_other"),
        (["P1/study/series/1-01.dcm"], "dicom"),
        (["case_7/flair_raw.nii.gz", "case_7/mprage.nii"], "raw_mri"),
        (["BraTS2020.zip", "license.txt"], "archive"),
        (["more.zip", "yes/y1.jpg"], "br35h"),
        (["notes.txt"], None),
        ([".hidden/yes/y1.jpg"], None),
    ],
)
def test_a_folder_tells_its_data_set(tmp_path: Path, files: list[str], name: str | None) -> None:
    lay_out(tmp_path, files)
    found = find_data_set(tmp_path)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("name", ["IM000001", "MR.1.2.840.113619.2.5", "1"])
def test_dicom_without_an_ending_is_known_by_its_mark(tmp_path: Path, name: str) -> None:
    (tmp_path / "P1" / "S1").mkdir(parents=True)
    (tmp_path / "P1" / "S1" / name).write_bytes(b"\0" * 128 + b"DICM")
    found = find_data_set(tmp_path)
    assert found is not None and found.name == "dicom"
    (tmp_path / "P1" / "S1" / name).write_bytes(b"\0" * 200)
    assert find_data_set(tmp_path) is None


def test_nothing_is_recognised_in_what_is_not_there(tmp_path: Path) -> None:
    assert find_data_set(tmp_path / "nowhere") is None


def test_of_several_data_sets_in_a_folder_the_one_that_is_meant_is_found(tmp_path: Path) -> None:
    lay_out(tmp_path, ["brats/BraTS19_A_1_1/a.nii", "ixi/IXI002-Guys-0828-T1.nii.gz"])
    for is_healthy, name in ((True, "ixi"), (False, "brats2019")):
        found = find_data_set(tmp_path, lambda data_set, wanted=is_healthy: data_set.healthy is wanted)
        assert found is not None
        assert found.name == name


def test_every_data_set_says_what_a_person_must_know() -> None:
    names = [data_set.name for data_set in data_sets()]
    assert len(names) == len(set(names))
    for data_set in data_sets():
        assert data_set.title, data_set.name
        told = (data_set.origin, data_set.terms, data_set.citation, data_set.tasks)
        assert data_set.refused or all(told), data_set.name


def test_terms_are_told_of_data_sets_and_not_of_ones_own_lists() -> None:
    told = tell_terms(["ixi", "upenn_gbm", "my_cases", "ixi"])
    assert told.startswith("IXI: CC BY-SA 3.0; cite IXI, brain-development.org")
    assert "UPENN-GBM: CC BY 4.0" in told
    assert told.count(";") >= told.count("cite") == 2
    assert tell_terms(["my_cases"]) == ""


def test_every_kind_of_cohort_has_a_usual_data_set_that_it_takes() -> None:
    for kind in KINDS.values():
        assert kind.takes(data_set_named(kind.usual))


def test_a_list_of_ones_own_keeps_its_name() -> None:
    assert (source_name("brats2018"), source_name("my_cases")) == ("BraTS 2018", "my_cases")


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("P1/series/1-01.dcm", "holds DICOM series"),
        ("sub-01/anat/sub-01_T1w.nii.gz", "holds BIDS"),
        ("P1/flair.nii.gz", "in no layout that is known"),
        ("downloads/Task01_BrainTumour.tar", "still packed. Unpack it"),
    ],
)
def test_a_layout_that_is_not_read_is_named_to_every_kind_of_cohort(
    tmp_path: Path, kind: str, file: str, told: str
) -> None:
    lay_out(tmp_path, [file])
    with pytest.raises(DatasetError, match=told):
        read_cohort(tmp_path, kind=kind)


@pytest.mark.parametrize(
    ("kind", "file", "told"),
    [
        (
            "images",
            "BraTS2021_00000/BraTS2021_00000_t1.nii.gz",
            "holds BraTS 2021: volumes, no images. It is read for",
        ),
        ("volumes", "00000/FLAIR/Image-1.dcm", "holds RSNA-MICCAI 2021: DICOM series, no patients with volumes"),
        ("series", "yes/y1.jpg", "holds Br35H: single images, no patients with series"),
        ("volumes", "IXI002-Guys-0828-T1.nii.gz", "holds IXI: .*--healthy_dir"),
    ],
)
def test_a_data_set_of_another_kind_is_named_with_what_reads_it(
    tmp_path: Path, kind: str, file: str, told: str
) -> None:
    lay_out(tmp_path, [file])
    with pytest.raises(DatasetError, match=told):
        read_cohort(tmp_path, kind=kind)
