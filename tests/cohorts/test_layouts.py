from __future__ import annotations

from pathlib import Path

import pytest

from common.cohorts.layouts import Layout, find_layout


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (["BraTS2021_00000/BraTS2021_00000_t1.nii.gz"], Layout.PATIENTS),
        (["HGG/Brats18_A_1_1/Brats18_A_1_1_t1.nii.gz", "HGG/Brats18_A_1_1/preview.png"], Layout.PATIENTS),
        (["data/volume_1_slice_0.h5", "preview/one.png"], Layout.PATIENTS),
        (["IXI002-Guys-0828-T1.nii.gz"], Layout.PEOPLE),
        (["train/00000/FLAIR/Image-1.dcm", "train_labels.csv"], Layout.SERIES),
        (["00000/t1wce/Image-1.png"], Layout.SERIES),  # exported, and one side's folder alone
        (["yes/y1.jpg", "no/1 no.jpeg"], Layout.IMAGES),
        (["set/training/glioma/a.PNG", "set/training/none/b.PNG"], Layout.IMAGES),
        (["12345/a.png", "00000/b.png"], Layout.IMAGES),  # classes that are named as patients
        (["notes.txt"], Layout.PATIENTS),
    ],
)
def test_a_folder_tells_its_kind(tmp_path: Path, files: list[str], layout: Layout) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert find_layout(tmp_path) is layout


def test_what_is_not_there_goes_to_the_reader_who_tells(tmp_path: Path) -> None:
    assert find_layout(tmp_path / "nowhere") is Layout.PATIENTS
