"""Phantoms as BraTS 2023 (adult glioma) names its files, with second scans of some patients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.cohorts.datasets.brats_releases import BRATS2023, Release
from common.phantoms.layouts.brats2020 import BratsLayout, write_nifti
from common.phantoms.scans import PhantomSubject
from common.records import BRATS_2023_MASK_VALUES, BRATS_MASK_VALUES

Volume = NDArray[np.int16]
NOISE = 0.02
"""Of a second scan, as a share of the intensity."""


def brats2023_layout(second_timepoints: int = 0) -> BratsLayout:
    """The layout of BraTS 2023, in which the first ``second_timepoints`` patients were scanned twice.

    A second scan shows the same brain and tumour, with other noise. There are no tables.
    """

    def write(folder: Path, subject: PhantomSubject) -> None:
        index = subject.patient.index
        for timepoint in range(2 if index < second_timepoints else 1):
            name = f"BraTS-GLI-{index:05d}-{timepoint:03d}"
            write_scan(folder / name, BRATS2023, scan_again(subject, timepoint), stored_mask(subject))

    return BratsLayout("ASNR-MICCAI-BraTS2023-GLI-Challenge-TrainingData", write)


def write_scan(folder: Path, release: Release, scan: Mapping[str, Volume], mask: Volume) -> None:
    """Write a scan's folder as a release names its files.

    Args:
        folder: of the scan.
        release: from BraTS 2023 on.
        scan: a volume by modality.
        mask: with the labels of the release.
    """
    for modality, voxels in {**scan, "seg": mask}.items():
        write_nifti(folder / f"{release.stems(folder.name, modality)[0]}.nii.gz", voxels)


def stored_mask(subject: PhantomSubject) -> Volume:
    """The mask with the labels of BraTS 2023."""
    mask = np.zeros(subject.mask.shape, dtype=np.int16)
    for ours, theirs in zip(BRATS_MASK_VALUES, BRATS_2023_MASK_VALUES, strict=True):
        mask[subject.mask == ours] = theirs
    return mask


def scan_again(subject: PhantomSubject, timepoint: int) -> Mapping[str, Volume]:
    """The first scan, or the same brain with other noise."""
    if timepoint == 0:
        return subject.modalities
    rng = np.random.default_rng([subject.patient.index, timepoint])
    return {modality: _with_noise(voxels, rng) for modality, voxels in subject.modalities.items()}


def _with_noise(voxels: Volume, rng: np.random.Generator) -> Volume:
    noisy = voxels * rng.normal(1, NOISE, voxels.shape)
    return np.where(voxels > 0, np.clip(np.rint(noisy), 1, None), 0).astype(np.int16)
