from __future__ import annotations

import itertools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from common.cache_folder import clear_cache
from common.cohorts.brains.masks import find_brain_mask
from common.cohorts.inference_patients import not_yet_predicted
from common.errors import DatasetError, KnobError
from common.transforms import LoadImageModalitiesd, LoadVolumed, TakeVolumed, common_spacing, prepare_volumes
from common.transforms.reading import read_checked
from common.transforms.shared_items import case_items
from common.transforms.volumes import cache

Writer = Callable[..., dict[str, Any]]

SETTINGS: dict[str, Any] = {"size": (16, 20, 12), "spacing": 1.0}


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The subjects that were read, in their order."""
    subjects: list[str] = []

    def read(record: dict[str, Any], modalities: Any) -> Any:
        subjects.append(record["subject"])
        return read_checked(record, modalities)

    monkeypatch.setattr(cache, "read_checked", read)
    return subjects


def write_head(folder: Path, subject: str, mask: str | None = None) -> dict[str, Any]:
    """A whole head in IXI's way, PSR and uint8 with a scale factor, around a brain of ascending values."""
    folder.mkdir(exist_ok=True)
    voxels = np.full((20, 24, 16), 30, np.uint8)
    brain = np.zeros(voxels.shape, np.uint8)
    brain[5:15, 6:18, 4:12] = 117
    voxels[brain > 0] = np.arange(960) // 4
    affine = np.array([[0, 0, 9.0, -70], [-9.0, 0, 0, 90], [0, 9.0, 0, -100], [0, 0, 0, 1]])
    image = nib.Nifti1Image(voxels * 13.9, affine)
    image.header.set_data_dtype(np.uint8)
    record = {"subject": subject, "source": "ixi", "t1ce": str(folder / f"{subject}_T1.nii.gz"), "grade": "healthy"}
    nib.save(image, record["t1ce"])
    if mask:
        record["brain_mask"] = str(folder / f"{subject}{mask}.nii.gz")
        nib.save(nib.Nifti1Image(brain, affine), record["brain_mask"])
    return record


def test_what_a_case_tells(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    (case,) = prepare_volumes([record], tmp_path / "cache", ("t1ce", "t2"), **SETTINGS)
    volume = np.load(case["cached"])
    assert (volume.shape, volume.dtype) == ((2, 16, 20, 12), np.float16)
    assert volume.min() == 0 and volume.max() == 1
    assert {key: case[key] for key in record} == record
    assert case["modalities"] == ["t1ce", "t2"]
    assert common_spacing([case]) == [1, 1, 1]
    tumour = np.count_nonzero(nib.load(record["seg"]).get_fdata())
    assert case["tumour_ml"] == pytest.approx(tumour / 1000)
    (without,) = prepare_volumes([{**record, "seg": None}], tmp_path / "cache", **SETTINGS)
    assert without["tumour_ml"] is None


@pytest.mark.parametrize("orientation", ["RAS", "PSR", "ILA"])
def test_the_same_head_stored_otherwise_is_the_same_volume(
    write_record: Writer, tmp_path: Path, orientation: str
) -> None:
    turned = {**write_record("p2", orientation=orientation), "subject": "p1", "scan": "turned"}
    records = [write_record("p1"), turned]
    for settings in (SETTINGS, {"size": (8, 8, 8), "spacing": 1.7}):
        one, other = prepare_volumes(records, tmp_path / "cache", **settings)
        np.testing.assert_allclose(np.load(one["cached"]), np.load(other["cached"]), atol=1e-3)


def test_a_head_as_ixi_stores_it(tmp_path: Path) -> None:
    """Stored (P, S, R), the brain's first voxels are its anterior lower left ones: LPS turns only the third axis."""
    record = write_head(tmp_path, "IXI002", mask="_T1_DLMUSE")
    (case,) = prepare_volumes([record], tmp_path / "cache", size=(8, 10, 12), spacing=9.0)
    expected = (np.arange(960) // 4).reshape(10, 12, 8).transpose(2, 0, 1)[::-1]
    low, high = np.percentile(expected, (0.5, 99.5))
    np.testing.assert_allclose(np.load(case["cached"])[0], np.clip((expected - low) / (high - low), 0, 1), atol=4e-3)


def test_heads_without_a_mask_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # nor is HD-BET there
    records = [write_head(tmp_path, name) for name in ("IXI002", "IXI003")]
    with pytest.raises(DatasetError, match=r"IXI002_T1\.nii\.gz.*IXI003_T1\.nii\.gz") as caught:
        prepare_volumes(records, tmp_path / "cache", **SETTINGS)
    assert len(caught.value.problems) == 1
    (whole,) = prepare_volumes(records[:1], tmp_path / "cache", **SETTINGS, brain_extraction="none")
    assert np.load(whole["cached"])[0, 0, 0, 0] > 0
    with pytest.raises(KnobError, match="--brain_extraction"):
        prepare_volumes(records, tmp_path / "cache", **SETTINGS, brain_extraction="fsl")


@pytest.mark.parametrize("change", [{"size": (16, 20, 14)}, {"spacing": 1.5}, {"modalities": ("t2",)}])
def test_another_setting_is_another_case(
    write_record: Writer, tmp_path: Path, prepared: list[str], change: dict[str, Any]
) -> None:
    record = write_record()
    (one,) = prepare_volumes([record], tmp_path / "cache", **SETTINGS)
    assert prepare_volumes([record], tmp_path / "cache", **SETTINGS) == [one]
    (other,) = prepare_volumes([record], tmp_path / "cache", **{**SETTINGS, **change})
    assert one["cached"] != other["cached"]
    assert prepared == ["p1", "p1"]


@pytest.mark.parametrize("key", ["t1ce", "brain_mask"])
def test_a_changed_file_is_prepared_anew(tmp_path: Path, prepared: list[str], key: str) -> None:
    record = write_head(tmp_path, "IXI002", mask="_mask")
    (before,) = prepare_volumes([record], tmp_path / "cache", **SETTINGS)
    os.utime(record[key], ns=(1, 1))
    (after,) = prepare_volumes([record], tmp_path / "cache", **SETTINGS)
    assert before["cached"] != after["cached"]
    assert prepared == ["IXI002", "IXI002"]


def test_brains_that_are_cut_are_counted_in_the_log(
    write_record: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The brain is 12 x 18 x 8 voxels."""
    records = [write_record("p1", 1), write_record("p2", 2)]
    with caplog.at_level(logging.WARNING):
        prepare_volumes(records, tmp_path / "cache", size=(12, 18, 8), spacing=1)
    assert not caplog.records
    for _ in range(2):  # also when nothing is prepared any more
        caplog.clear()
        prepare_volumes(records, tmp_path / "cache", size=(12, 16, 8), spacing=1)
        assert "2 of 2 brains are larger than --volume_size [12, 16, 8] at 1 mm and are cut" in caplog.text


def test_the_cache_can_be_cleared(write_record: Writer, tmp_path: Path) -> None:
    (case,) = prepare_volumes([write_record()], tmp_path / "cache", **SETTINGS)
    assert clear_cache(tmp_path / "cache") > 0
    assert not Path(case["cached"]).exists()


@pytest.mark.parametrize("orientation", ["LPS", "PSR"])
@pytest.mark.parametrize("settings", [SETTINGS, {"size": (9, 10, 8), "spacing": 1.6}])
def test_inference_sees_what_training_saw(
    write_record: Writer, tmp_path: Path, orientation: str, settings: dict[str, Any]
) -> None:
    record, modalities = write_record(orientation=orientation), ("t1ce", "flair")
    cases = prepare_volumes([{**record, "label": 1}], tmp_path / "cache", modalities, **settings)
    (item,) = case_items(cases)
    assert (item["subject"], item["label"]) == ("p1", 1)
    expected = LoadVolumed()(item)["image"]
    patient = {key: record[key] for key in ("subject", *modalities)}
    taken = TakeVolumed(**settings)(LoadImageModalitiesd(modalities)(patient))
    assert taken["image"].dtype == torch.float32
    assert torch.equal(taken["image"].as_tensor(), expected)
    assert json.loads(taken["geometry"]) == cases[0]["geometry"]
    assert taken["volume_file"] == record["t1ce"]


def test_inference_finds_the_brain_as_training_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    take, settings = LoadImageModalitiesd(("t1ce",)), {"size": (10, 12, 14), "spacing": 8.0}
    record = write_head(tmp_path, "IXI002", mask="_T1_mask")
    cases = prepare_volumes([record], tmp_path / "cache", **settings)
    expected = LoadVolumed()(case_items(cases)[0])["image"]
    (patient,) = not_yet_predicted([record], tmp_path)
    assert patient["brain_mask"] == record["brain_mask"]
    for item in (patient, {"subject": "x", "t1ce": record["t1ce"]}):  # the mask lies beside the image
        assert torch.equal(TakeVolumed(**settings)(take(item))["image"].as_tensor(), expected)
    alone = take(write_head(tmp_path / "alone", "IXI003"))
    with pytest.raises(DatasetError, match=r"IXI003_T1\.nii\.gz"):
        TakeVolumed(**settings, cache_dir=tmp_path / "cache")(alone)
    assert TakeVolumed(**settings, brain_extraction="none")(alone)["image"].shape == (1, 10, 12, 14)


def test_real_volumes_lie_alike(realdata: Path, tmp_path: Path) -> None:
    """IXI (PSR, a scale factor) and BraTS (LPS): no brain is cut, all are in the middle, and none is turned over."""
    files = sorted((realdata / "ixi").glob("*_T1.nii.gz"))[:2]
    files += sorted((realdata / "brats18").glob("*/*/*_t1ce.nii.gz"))[:2]
    records = [{"subject": file.name, "t1ce": str(file), "brain_mask": find_brain_mask(file)} for file in files]
    brains = [np.load(case["cached"])[0] > 0 for case in prepare_volumes(records, tmp_path / "cache")]
    for brain in brains:
        assert brain.shape == (80, 96, 80)
        assert 1200 < brain.sum() * 8 / 1000 < 2000
        assert not any(brain.take(edge, axis).any() for axis in range(3) for edge in (0, -1))
        assert np.argwhere(brain).mean(axis=0) == pytest.approx([39.5, 47.5, 41], abs=4)
    for one, other in itertools.combinations(brains, 2):
        as_it_is = np.count_nonzero(one & other)
        assert as_it_is / np.count_nonzero(one | other) > 0.75
        assert all(as_it_is > np.count_nonzero(one & np.flip(other, axis)) for axis in (1, 2))
