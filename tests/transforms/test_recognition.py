"""At inference a scan is known by its voxels, in every view."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from monai.transforms import Compose
from PIL import Image

from common.phantoms.writing.dicom_writer import write_slice
from common.splits.manifest import SplitManifest
from common.splits.resolve import with_scans
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.masks.cache import prepare_masks
from common.transforms.masks.inference import LoadMaskd
from common.transforms.pictures.cache import prepare_pictures
from common.transforms.pictures.inference import LoadImagePictured
from common.transforms.recognition import RecogniseScand
from common.transforms.series.cache import prepare_series
from common.transforms.series.inference import TakeSeriesd
from common.transforms.slices.cache import prepare_slices

Writer = Callable[..., dict[str, Any]]


def learnt_from(cases: list[Any]) -> dict[str, Any]:
    """What weights that were trained on these cases say of themselves."""
    subjects = tuple(sorted(case["subject"] for case in cases))
    return with_scans(SplitManifest({"train": subjects, "validation": (), "test": ()}, "cohort"), cases).provenance()


def renamed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "subject": "somebody else"}


def test_volumes(write_record: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    known, new = write_record("p1", seed=1), write_record("p2", seed=2)
    load = Compose([LoadImageModalitiesd(), RecogniseScand(learnt_from(prepare_slices([known], tmp_path, gap=2)))])
    image = nib.load(known["t1"])
    nib.save(nib.Nifti1Image(image.get_fdata(), image.affine), tmp_path / "again.nii")
    one_of_four = {**renamed(new), "t1": str(tmp_path / "again.nii")}
    with caplog.at_level(logging.WARNING):
        assert load(one_of_four)["trained_on"] == "yes"
    assert "somebody else: this scan was trained on" in caplog.text
    caplog.clear()
    assert load(new)["trained_on"] == "no"
    assert not caplog.text


def test_masks_whatever_numbers_their_classes_have(write_record: Writer, tmp_path: Path) -> None:
    known, new = write_record("p1", seed=1), write_record("p2", seed=2)
    load = Compose([LoadMaskd((1, 2, 3)), RecogniseScand(learnt_from(prepare_masks([known], tmp_path)), key="mask")])
    image = nib.load(known["seg"])
    mask = np.asanyarray(image.dataobj)
    nib.save(nib.Nifti1Image(np.where(mask == 4, 3, mask).astype(np.uint8), image.affine), tmp_path / "again.nii")
    assert load({"subject": "somebody else", "seg": str(tmp_path / "again.nii")})["trained_on"] == "yes"
    assert load({"subject": "p2", "seg": new["seg"], "mask_values": (1, 2, 4)})["trained_on"] == "no"


def test_series_by_their_middle_slice(tmp_path: Path) -> None:
    def write(name: str, seed: int) -> dict[str, Any]:
        pixels = np.random.default_rng(seed).integers(0, 900, (9, 12, 10)).astype(np.int16)
        for number, plane in enumerate(pixels):
            write_slice(tmp_path / name / f"{number}.dcm", plane, (0, 0, number), (1, 1), name, number=number)
        return {"subject": name, "flair": str(tmp_path / name)}

    cases = prepare_series([write("a", 1)], tmp_path / "cache", ["flair"], 3, size=(8, 6))
    take = TakeSeriesd(["flair"], 5, size=(4, 4), central_share=0.9, provenance=learnt_from(cases))
    assert take(renamed(write("b", 1)))["trained_on"] == "yes"
    assert take(write("c", 2))["trained_on"] == "no"


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures(tmp_path: Path, channels: int) -> None:
    def write(name: str, seed: int) -> dict[str, Any]:
        pixels = np.random.default_rng(seed).integers(0, 255, (40, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)
        return {"subject": name, "image": str(tmp_path / name)}

    cases = prepare_pictures([write("a.png", 1)], tmp_path / "cache", channels=channels)
    read = Compose([LoadImagePictured(channels), RecogniseScand(learnt_from(cases))])
    assert read(write("b.bmp", 1))["trained_on"] == "yes"
    assert read(write("c.png", 2))["trained_on"] == "no"


@pytest.mark.parametrize("provenance", [None, {}, {"training_subjects": ["0123456789abcdef"]}])
def test_weights_that_name_no_scans_say_nothing(write_record: Writer, provenance: dict[str, Any] | None) -> None:
    item = LoadImageModalitiesd()(write_record())
    assert "trained_on" not in RecogniseScand(provenance)(item)
