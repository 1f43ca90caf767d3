"""Phantoms as BraTS 2023 (adult glioma) names its files, with second scans of some patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.cohorts.datasets.brats_releases import BRATS2023
from common.phantoms.layouts.brats2020 import BratsLayout, write_nifti
from common.phantoms.scans import PhantomSubject
from common.records import BRATS_2023_MASK_VALUES, BRATS_MASK_VALUES

NOISE = 0.02
"""Of a second scan, as a share of the intensity."""


def brats2023_layout(second_timepoints: int = 0) -> BratsLayout:
    """The layout of BraTS 2023, in which the first ``second_timepoints`` patients were scanned twice.

    A second scan shows the same brain and tumour, with other noise. There are no tables.
    """

    def write(folder: Path, subject: PhantomSubject) -> None:
        index = subject.patient.index
        for timepoint in range(2 if index < second_timepoints else 1):
            _write_scan(folder, f"BraTS-GLI-{index:05d}-{timepoint:03d}", subject, timepoint)

    return BratsLayout("ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData", write, has_tables=False)


def _write_scan(folder: Path, name: str, subject: PhantomSubject, timepoint: int) -> None:
    rng = np.random.default_rng([subject.patient.index, timepoint])
    for modality, voxels in subject.modalities.items():
        shown = voxels if timepoint == 0 else _scan_again(voxels, rng)
        write_nifti(folder / name / f"{BRATS2023.stems(name, modality)[0]}.nii.gz", shown)
    mask = np.zeros(subject.mask.shape, dtype=np.int16)
    for ours, theirs in zip(BRATS_MASK_VALUES, BRATS_2023_MASK_VALUES, strict=True):
        mask[subject.mask == ours] = theirs
    write_nifti(folder / name / f"{BRATS2023.stems(name, 'seg')[0]}.nii.gz", mask)


def _scan_again(voxels: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    noisy = voxels * rng.normal(1, NOISE, voxels.shape)
    return np.where(voxels > 0, np.clip(np.rint(noisy), 1, None), 0).astype(np.int16)
