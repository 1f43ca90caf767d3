"""Phantoms as Task01_BrainTumour of the Medical Segmentation Decathlon: four channels a file, and ``dataset.json``."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np

from common.files import write_text
from common.formats.nifti import brats_affine
from common.phantoms.layouts.brats2020 import BratsLayout, save_nifti, write_nifti
from common.phantoms.scans import PhantomSubject
from common.records import BRATS_MASK_VALUES, MODALITIES

MASK_VALUES = (2, 1, 3)
"""Of NCR, ED and ET."""

ABOUT = {
    "name": "BRATS",
    "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"},
    "labels": {"0": "background", "1": "edema", "2": "non-enhancing tumor", "3": "enhancing tumour"},
    "test": [],
}


def write_decathlon(folder: Path, subject: PhantomSubject) -> None:
    """Write a patient's two files as the Decathlon names them."""
    name = f"BRATS_{subject.patient.index + 1:03d}.nii.gz"
    channels = np.stack([subject.modalities[modality] for modality in MODALITIES], axis=-1)
    save_nifti(folder / "imagesTr" / name, nib.Nifti1Image(channels, brats_affine(channels.shape[1])))
    mask = np.zeros(subject.mask.shape, dtype=np.int16)
    for ours, theirs in zip(BRATS_MASK_VALUES, MASK_VALUES, strict=True):
        mask[subject.mask == ours] = theirs
    write_nifti(folder / "labelsTr" / name, mask)


def write_dataset_json(folder: Path) -> None:
    """Write ``dataset.json`` of the patients that are there."""
    names = sorted(path.name for path in (folder / "imagesTr").iterdir())
    training = [{"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"} for name in names]
    write_text(
        folder / "dataset.json", json.dumps({**ABOUT, "numTraining": len(names), "training": training}, indent=1)
    )


DECATHLON = BratsLayout("Task01_BrainTumour", write_decathlon, finish=write_dataset_json)
