from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.datasets.registry import data_set_named, data_sets, find_data_set, source_name
from common.cohorts.reading import KINDS


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
        (["notes.txt"], None),
        ([".hidden/yes/y1.jpg"], None),
    ],
)
def test_a_folder_tells_its_data_set(tmp_path: Path, files: list[str], name: str | None) -> None:
    lay_out(tmp_path, files)
    found = find_data_set(tmp_path)
    assert (found.name if found else None) == name


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
        assert data_set.refused or (data_set.terms and data_set.citation and data_set.read_by), data_set.name


def test_every_kind_of_cohort_has_a_usual_data_set_that_it_takes() -> None:
    for kind in KINDS.values():
        assert kind.takes(data_set_named(kind.usual))


def test_a_list_of_ones_own_keeps_its_name() -> None:
    assert (source_name("brats2018"), source_name("my_cases")) == ("BraTS 2018", "my_cases")
