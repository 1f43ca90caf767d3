from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from common.errors import DatasetError, KnobError
from common.records import MODALITIES
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.shared_items import case_items
from common.transforms.slices.cache import prepare_slices
from common.transforms.slices.inference import TakeSlicesd
from common.transforms.slices.items import LoadSlicesd

Writer = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("orientation", ["LPS", "PSR"])
@pytest.mark.parametrize(
    "settings",
    [
        {"gap": 3},
        {"gap": 2, "centre": 1, "count": 2, "intensity": "clip", "centre_of": "volume"},
        {"gap": 1, "count": 5, "orientation": "LPS"},
    ],
)
def test_inference_sees_what_training_saw(
    write_record: Writer, tmp_path: Path, orientation: str, settings: dict[str, Any]
) -> None:
    record = write_record(orientation=orientation)
    cases = prepare_slices([record], tmp_path / "cache", **settings)
    item = {key: record[key] for key in ("subject", *MODALITIES)}
    image = TakeSlicesd(**settings)(LoadImageModalitiesd()(item))["image"]
    expected = LoadSlicesd()(case_items(cases)[0])["image"]
    assert image.dtype == torch.float32
    assert torch.equal(image.as_tensor(), expected)
    bag = TakeSlicesd(**settings, per_modality=True)(LoadImageModalitiesd()(item))["image"]
    singles = [LoadSlicesd()(single)["image"] for single in case_items(cases, per_modality=True)]
    assert torch.equal(bag.as_tensor(), torch.stack(singles))
    assert json.loads(image.meta["positions"]) == cases[0]["positions"]
    assert json.loads(image.meta["geometry"]) == cases[0]["geometry"]


def test_one_file_with_all_modalities(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    stack = np.stack([np.asanyarray(nib.load(record[name]).dataobj) for name in MODALITIES], axis=-1)
    nib.save(nib.Nifti1Image(stack, nib.load(record["t1"]).affine), tmp_path / "all.nii.gz")
    image = TakeSlicesd(gap=3)(LoadImageModalitiesd()({"image": str(tmp_path / "all.nii.gz")}))["image"]
    cases = prepare_slices([record], tmp_path / "cache", gap=3)
    assert torch.equal(image.as_tensor(), LoadSlicesd()(case_items(cases)[0])["image"])


def test_pixels_of_another_size_than_learned_from(write_record: Writer) -> None:
    coarse = LoadImageModalitiesd()(write_record("p1", affine=np.diag([-2.0, -2.0, 1.0, 1.0])))
    with pytest.raises(DatasetError, match=r"p1: voxels measure 2\.00 x 2\.00 mm where 1\.00 x 1\.00 mm"):
        TakeSlicesd(gap=3, spacing=[1, 1, 1])(coarse)
    thick = LoadImageModalitiesd()(write_record("p2", affine=np.diag([-1.0, -1.0, 3.0, 1.0])))
    assert TakeSlicesd(gap=3, spacing=[1, 1, 1])(thick)["image"].shape == (12, 20, 24)
    assert TakeSlicesd(gap=3)(coarse)["image"].shape == (12, 20, 24)


def test_a_slice_outside_the_brain_and_a_setting_without_meaning(write_record: Writer) -> None:
    with pytest.raises(DatasetError, match="p1: slices at"):
        TakeSlicesd()(LoadImageModalitiesd()(write_record()))
    with pytest.raises(KnobError, match="--centre_of"):
        TakeSlicesd(centre_of="head")
