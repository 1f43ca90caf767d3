from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, decollate_batch

from common.cohorts import read_cohort
from common.errors import CheckpointError, DatasetError, OutputError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2020_hdf5 import HDF5
from common.phantoms.scans import phantom_subject
from common.records import MODALITIES
from common.transforms.brain.inference import LabelMapd, PrepareBraind, SaveImageLabelMapd, class_argmax
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.preparation import class_indices, prepare_case

Writer = Callable[..., dict[str, Any]]
Item = dict[Any, Any]


def prepare(record: dict[str, Any]) -> Item:
    """As a loader hands it over: collated into a batch and taken apart again."""
    item = {key: record[key] for key in ("subject", "image", *MODALITIES) if record.get(key)}
    steps = PrepareBraind(spacing=[1, 1, 1])
    (batch,) = DataLoader(Dataset([item], lambda data: steps(LoadImageModalitiesd()(data))), batch_size=1)
    return decollate_batch(batch)[0]


def perfect_logits(record: dict[str, Any]) -> torch.Tensor:
    """What a network that knows the truth would say: +5 for the class, -5 for the others."""
    case = prepare_case(record)
    assert case.classes is not None
    classes = torch.from_numpy(case.classes.T.copy()).long()
    hot = torch.nn.functional.one_hot(classes, 4).movedim(-1, 0)
    return hot * 10.0 - 5.0


@pytest.mark.parametrize("orientation", ["LPS", "PSR", "RAI"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_the_truth_comes_back_as_the_file_that_it_was(
    write_record: Writer, tmp_path: Path, orientation: str, kind: type
) -> None:
    record = write_record(orientation=orientation)
    for name in (*MODALITIES, "seg"):
        image = nib.load(record[name])
        nib.save(kind(np.asanyarray(image.dataobj), image.affine, image.header), record[name])
    item = prepare(record)
    item["pred"] = perfect_logits(record)
    item = SaveImageLabelMapd(tmp_path / "out")(LabelMapd()(item))
    assert item["seg_file"] == str(tmp_path / "out" / "p1_seg.nii.gz")
    written, truth = nib.load(item["seg_file"]), nib.load(record["seg"])
    assert type(written) is kind
    np.testing.assert_array_equal(np.asanyarray(written.dataobj), np.asanyarray(truth.dataobj))
    assert written.shape == truth.shape
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(written.affine, truth.affine)
    assert nib.aff2axcodes(written.affine) == tuple(orientation)
    assert (int(written.header["qform_code"]), int(written.header["sform_code"])) == (1, 2)
    assert set(np.unique(written.dataobj)) == {0, 1, 2, 4}


def test_the_image_is_prepared_as_in_training(write_record: Writer) -> None:
    record = write_record()
    item = prepare(record)
    assert item["image"].dtype == torch.float32
    assert item["image"].shape == (4, 12, 18, 8)
    expected = prepare_case(record).image.transpose(1, 3, 2, 0)
    np.testing.assert_array_equal(item["image"].numpy(), expected)
    assert np.count_nonzero(item["image"]) == np.count_nonzero(expected)


def test_one_file_with_all_channels_gives_a_map_of_one(write_record: Writer, tmp_path: Path) -> None:
    record = write_record(orientation="RAS")
    stack = np.stack([nib.load(record[name]).dataobj for name in MODALITIES], axis=-1)
    nib.save(nib.Nifti1Image(stack, nib.load(record["t1"]).affine), tmp_path / "all.nii.gz")
    item = prepare({"subject": "p1", "image": str(tmp_path / "all.nii.gz")})
    item["pred"] = perfect_logits(record)
    written = nib.load(SaveImageLabelMapd(tmp_path / "out")(LabelMapd()(item))["seg_file"])
    np.testing.assert_array_equal(written.dataobj, nib.load(record["seg"]).dataobj)


def test_scaled_inputs_give_labels_that_are_not_scaled(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    for name in MODALITIES:
        image = nib.load(record[name])
        image.header.set_data_dtype(np.int16)
        scaled = nib.Nifti1Image(image.get_fdata() * 0.37, image.affine, image.header)
        nib.save(scaled, record[name])
    assert nib.load(record["flair"]).dataobj.slope != 1
    item = prepare(record)
    item["pred"] = perfect_logits(record)
    written = nib.load(SaveImageLabelMapd(tmp_path / "out")(LabelMapd()(item))["seg_file"])
    np.testing.assert_array_equal(written.dataobj, nib.load(record["seg"]).dataobj)


@pytest.mark.parametrize("orientation", ["LPS", "PSR"])
def test_probabilities_sum_to_one_everywhere(write_record: Writer, tmp_path: Path, orientation: str) -> None:
    item = prepare(write_record(orientation=orientation))
    item["pred"] = torch.randn(4, 12, 18, 8, generator=torch.Generator().manual_seed(0)) * 20
    item = SaveImageLabelMapd(tmp_path / "out")(LabelMapd(probabilities=True)(item))
    image = nib.load(item["probabilities_file"])
    maps = image.get_fdata()
    assert image.get_data_dtype() == np.float32
    np.testing.assert_array_equal(image.affine, nib.load(item["seg_file"]).affine)
    assert maps.shape == (*nib.load(item["seg_file"]).shape, 4)
    np.testing.assert_allclose(maps.sum(axis=-1), 1, atol=1e-6)
    assert maps.min() >= 0
    labels = np.asanyarray(nib.load(item["seg_file"]).dataobj)
    np.testing.assert_array_equal(class_indices(labels), maps.argmax(axis=-1))
    assert (maps[0, 0, 0] == [1, 0, 0, 0]).all()


def test_a_label_set_of_ones_own_is_written(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    item = prepare(record)
    item |= {"pred": perfect_logits(record), "mask_values": [3, 2, 1000]}
    written = nib.load(SaveImageLabelMapd(tmp_path)(LabelMapd()(item))["seg_file"])
    truth = np.asanyarray(nib.load(record["seg"]).dataobj)
    for stored, wanted in ((1, 3), (2, 2), (4, 1000)):
        np.testing.assert_array_equal(np.asanyarray(written.dataobj) == wanted, truth == stored)


@pytest.mark.parametrize("classes", [1, 2, 4, 7])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_the_fast_argmax_is_torchs(classes: int, kind: torch.dtype) -> None:
    logits = torch.randn(classes, 9, 8, 7, generator=torch.Generator().manual_seed(1)).to(kind)
    kept = logits.clone()
    assert torch.equal(class_argmax(logits).long(), logits.argmax(dim=0))
    assert torch.equal(logits, kept)
    assert class_argmax(torch.zeros(classes, 2)).tolist() == [0, 0]


def test_voxels_of_another_size_than_learned_from(write_record: Writer) -> None:
    item = LoadImageModalitiesd()(write_record(affine=np.diag([-1.0, -1.0, 5.0, 1.0])))
    with pytest.raises(DatasetError, match=r"p1: voxels measure 1\.00 x 1\.00 x 5\.00 mm"):
        PrepareBraind(spacing=[1, 1, 1])(item)
    assert PrepareBraind()(item)["image"].shape == (4, 12, 18, 8)


def test_missing_modalities(write_record: Writer) -> None:
    record = write_record()
    del record["t1"]
    with pytest.raises(DatasetError, match="modality t1 is missing"):
        LoadImageModalitiesd()(record)
    image = PrepareBraind()(LoadImageModalitiesd(missing_modality="zero")(record))["image"]
    assert [bool(channel.any()) for channel in image] == [True, False, True, True]


def result(write_record: Writer) -> Item:
    record = write_record()
    item = prepare(record)
    item["pred"] = perfect_logits(record)
    return LabelMapd()(item)


def test_an_earlier_result_is_replaced_on_the_word_only(write_record: Writer, tmp_path: Path) -> None:
    item = result(write_record)
    path = tmp_path / "out" / "p1_seg.nii.gz"
    path.parent.mkdir()
    path.write_bytes(b"earlier")
    with pytest.raises(OutputError, match="an earlier result is there"):
        SaveImageLabelMapd(tmp_path / "out")(item)
    assert path.read_bytes() == b"earlier"
    SaveImageLabelMapd(tmp_path / "out", overwrite=True)(item)
    assert nib.load(path).shape == (20, 24, 12)


@pytest.mark.parametrize("place", ["save", "replace"])
def test_a_full_disk_leaves_the_earlier_result(
    write_record: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    item = result(write_record)
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "p1_seg.nii.gz").write_bytes(b"earlier")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(nib if place == "save" else os, place, full)
    with pytest.raises(OutputError, match="no space is left"):
        SaveImageLabelMapd(folder, overwrite=True)(item)
    assert [entry.name for entry in folder.iterdir()] == ["p1_seg.nii.gz"]
    assert (folder / "p1_seg.nii.gz").read_bytes() == b"earlier"


def test_a_place_that_cannot_be_written(write_record: Writer, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        SaveImageLabelMapd(tmp_path / "out")(result(write_record))


def test_what_a_header_says_of_a_person_is_not_written(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    for name in MODALITIES:
        image = nib.load(record[name])
        for field in ("db_name", "descrip", "aux_file", "intent_name"):
            image.header[field] = b"DOE^JANE"
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"DOE^JANE, born 1950"))
        nib.save(image, record[name])
    item = prepare(record)
    item["pred"] = perfect_logits(record)
    path = SaveImageLabelMapd(tmp_path / "out")(LabelMapd()(item))["seg_file"]
    assert b"DOE^JANE" not in gzip.decompress(Path(path).read_bytes())
    np.testing.assert_array_equal(nib.load(path).affine, nib.load(record["flair"]).affine)


def test_a_label_map_has_the_values_and_the_name_of_the_inputs_data_set(write_record: Writer, tmp_path: Path) -> None:
    record = write_record(subject="BraTS-GLI-00005")
    labels = np.asanyarray(nib.load(record["seg"]).dataobj)
    item = {**prepare(record), "scan": "BraTS-GLI-00005-001", "mask_values": [1, 2, 3], "pred": perfect_logits(record)}
    item = SaveImageLabelMapd(tmp_path / "out")(LabelMapd(probabilities=True)(item))
    assert item["seg_file"] == str(tmp_path / "out" / "BraTS-GLI-00005-001_seg.nii.gz")
    assert item["probabilities_file"].endswith("BraTS-GLI-00005-001_probabilities.nii.gz")
    written = np.asanyarray(nib.load(item["seg_file"]).dataobj)
    np.testing.assert_array_equal(written, np.where(labels == 4, 3, labels))
    assert item["mask_values"] == [1, 2, 3]


def test_the_values_outlive_the_data_loader(write_record: Writer) -> None:
    item = {**write_record(), "mask_values": [1, 2, 3]}
    (batch,) = DataLoader(Dataset([item], LoadImageModalitiesd()), batch_size=1)
    (apart,) = decollate_batch(batch)
    assert [int(value) for value in apart["mask_values"]] == [1, 2, 3]


def test_hdf5_slices_are_segmented_into_nifti(tmp_path: Path) -> None:
    make_brats_phantoms(tmp_path / "in", patients=1, shape=(32, 32, 24), layout=HDF5)
    (record,) = read_cohort(tmp_path / "in")
    item = {**prepare(record), "pred": perfect_logits(record)}
    written = nib.load(SaveImageLabelMapd(tmp_path / "out")(LabelMapd()(item))["seg_file"])
    np.testing.assert_array_equal(np.asanyarray(written.dataobj), phantom_subject(0, 0, (32, 32, 24)).mask)
    np.testing.assert_array_equal(written.affine, [[-1, 0, 0, 0], [0, -1, 0, 31], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize("name", ["../escaped", "a/b", "x" * 300])
def test_a_patient_handed_over_in_memory_is_named_as_others_are(
    write_record: Writer, tmp_path: Path, name: str
) -> None:
    record = write_record()
    item = {**prepare(record), "pred": perfect_logits(record), "subject": name}
    with pytest.raises(OutputError, match="Files are named by it"):
        SaveImageLabelMapd(tmp_path / "out", overwrite=True)(LabelMapd()(item))
    assert not list(tmp_path.glob("escaped*"))


def test_a_link_does_not_lead_out_of_the_output_folder(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "p1_seg.nii.gz").symlink_to(tmp_path / "elsewhere.nii.gz")
    item = {**prepare(record), "pred": perfect_logits(record)}
    with pytest.raises(OutputError, match="would be written outside"):
        SaveImageLabelMapd(tmp_path / "out", overwrite=True)(LabelMapd()(item))


def test_logits_that_are_no_numbers_are_not_taken_for_background(write_record: Writer) -> None:
    record = write_record()
    item = prepare(record)
    item["pred"] = perfect_logits(record)
    item["pred"][:, 3, 3, 3] = torch.nan
    with pytest.raises(CheckpointError, match="answer for p1 is not a number"):
        LabelMapd()(item)
