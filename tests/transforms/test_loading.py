from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import EnsureChannelFirstd

from common.errors import DatasetError
from common.records import MODALITIES
from common.transforms import LoadImageModalitiesd

Writer = Callable[..., dict[str, Any]]


@pytest.fixture
def record(write_record: Writer) -> dict[str, Any]:
    return write_record()


@pytest.fixture
def beside(record: dict[str, Any], tmp_path: Path) -> Path:
    """The patient's files in one folder under BraTS's names."""
    folder = tmp_path / "store"
    folder.mkdir()
    for name in MODALITIES:
        shutil.copy(record[name], folder / f"p1_{name}.nii.gz")
    return folder


def test_one_file_finds_those_beside_it(record: dict[str, Any], beside: Path) -> None:
    request = {"image": str(beside / "p1_t2.nii.gz"), "model": "m", "device": "cpu", "model_filename": ["model.pt"]}
    item = LoadImageModalitiesd()(request)
    assert torch.equal(item["image"], LoadImageModalitiesd()(record)["image"])
    assert item["subject"] == "p1"
    assert item["image"].meta["filename_or_obj"] == request["image"]
    assert {key: item.get(key) for key in request if key != "image"} == {
        key: value for key, value in request.items() if key != "image"
    }


def test_what_is_not_beside_it_is_told_at_once(beside: Path) -> None:
    for name in ("t1", "t1ce"):
        (beside / f"p1_{name}.nii.gz").unlink()
    with pytest.raises(DatasetError) as caught:
        LoadImageModalitiesd()({"image": str(beside / "p1_flair.nii.gz")})
    assert ["t1 is not" in str(problem) or "t1ce is not" in str(problem) for problem in caught.value.problems] == [
        True
    ] * 2
    filled = LoadImageModalitiesd(missing_modality="zero")({"image": str(beside / "p1_flair.nii.gz")})["image"]
    assert [bool(channel.any()) for channel in filled] == [True, False, False, True]


def test_a_single_volume_is_the_only_modality(beside: Path, tmp_path: Path) -> None:
    shutil.copy(beside / "p1_t1ce.nii.gz", tmp_path / "scan.nii.gz")
    alone = LoadImageModalitiesd(["t1ce"])({"image": str(tmp_path / "scan.nii.gz")})["image"]
    assert torch.equal(alone, LoadImageModalitiesd(["t1ce"])({"t1ce": str(beside / "p1_t1ce.nii.gz")})["image"])
    with pytest.raises(DatasetError, match="its name tells no modality"):
        LoadImageModalitiesd()({"image": str(tmp_path / "scan.nii.gz")})


def test_a_file_of_another_modality_is_not_taken_for_it(beside: Path) -> None:
    opened = {"image": str(beside / "p1_flair.nii.gz")}
    found = LoadImageModalitiesd(["t1ce"])(opened)["image"]
    np.testing.assert_array_equal(found[0], nib.load(beside / "p1_t1ce.nii.gz").dataobj)
    (beside / "p1_t1ce.nii.gz").unlink()
    with pytest.raises(DatasetError, match="t1ce is not beside it"):
        LoadImageModalitiesd(["t1ce"])(opened)


@pytest.mark.parametrize("image", ["the file", None])
def test_a_request_names_no_file_but_its_image(image: str | None, beside: Path, record: dict[str, Any]) -> None:
    request = {"image": image and str(beside / "p1_t1.nii.gz"), "flair": record["flair"]}
    with pytest.raises(DatasetError, match="a file of its own was given for flair"):
        LoadImageModalitiesd()(request)


def test_a_mask_of_the_brain_lies_beside_the_image(beside: Path, record: dict[str, Any]) -> None:
    image = str(beside / "p1_t1ce.nii.gz")
    LoadImageModalitiesd(["t1ce"])({"image": image, "brain_mask": image})
    with pytest.raises(DatasetError, match="brain_mask lies in another folder"):
        LoadImageModalitiesd(["t1ce"])({"image": image, "brain_mask": record["seg"]})


@pytest.mark.parametrize("subject", ["../../../../escaped", "a/b", "x" * 300])
def test_a_request_names_its_patient_as_files_may_be_named(subject: str, beside: Path) -> None:
    with pytest.raises(DatasetError, match="Files are named by it"):
        LoadImageModalitiesd()({"image": str(beside / "p1_t1.nii.gz"), "subject": subject})


@pytest.mark.parametrize("channel_dim", [0, -1])
def test_an_image_that_another_program_loaded_stays(channel_dim: int) -> None:
    image = MetaTensor(torch.rand(4, 5, 6, 7).movedim(0, channel_dim), meta={"original_channel_dim": channel_dim})
    item = EnsureChannelFirstd("image")(LoadImageModalitiesd()({"image": image}))
    assert torch.equal(item["image"], image.movedim(channel_dim, 0))
