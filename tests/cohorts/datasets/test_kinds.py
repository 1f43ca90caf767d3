from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.datasets.kinds import DatasetKind, find_kind


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        (["BraTS2021_00000/BraTS2021_00000_t1.nii.gz"], DatasetKind.PATIENTS),
        (["HGG/Brats18_A_1_1/Brats18_A_1_1_t1.nii.gz", "HGG/Brats18_A_1_1/preview.png"], DatasetKind.PATIENTS),
        (["data/volume_1_slice_0.h5", "preview/one.png"], DatasetKind.PATIENTS),
        (["IXI002-Guys-0828-T1.nii.gz"], DatasetKind.PEOPLE),
        (["train/00000/FLAIR/Image-1.dcm", "train_labels.csv"], DatasetKind.SERIES),
        (["00000/t1wce/Image-1.png"], DatasetKind.SERIES),  # exported, and one side's folder alone
        (["yes/y1.jpg", "no/1 no.jpeg"], DatasetKind.IMAGES),
        (["set/training/glioma/a.PNG", "set/training/none/b.PNG"], DatasetKind.IMAGES),
        (["12345/a.png", "00000/b.png"], DatasetKind.IMAGES),  # classes that are named as patients
        (["notes.txt"], DatasetKind.PATIENTS),
    ],
)
def test_a_folder_tells_its_kind(tmp_path: Path, files: list[str], kind: DatasetKind) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_kind(tmp_path) is kind


def test_what_is_not_there_goes_to_the_reader_who_tells(tmp_path: Path) -> None:
    assert find_kind(tmp_path / "nowhere") is DatasetKind.PATIENTS
