"""Phantoms as BraTS 2024 (adult glioma after treatment) names its files: two of three lost a part of the core.

The cavity is filled with fluid and has the label 4; what is left of the tumour is as it was.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from common.cohorts.datasets.brats_releases import BRATS2024
from common.phantoms.layouts.brats2020 import BratsLayout
from common.phantoms.layouts.brats2023 import Volume, stored_mask, write_scan
from common.phantoms.scans import CONTRASTS, PhantomSubject
from common.records import BRATS_2024_MASK_VALUES

FIRST_TIMEPOINT = 100
CAVITY = BRATS_2024_MASK_VALUES[3]


def write_brats2024(folder: Path, subject: PhantomSubject) -> None:
    """Write the scan of a treated patient; every third kept the whole tumour."""
    index = subject.patient.index
    mask, scan = stored_mask(subject), subject.modalities
    if index % 3 != 2:
        mask = take_out(mask)
        scan = {modality: _filled(voxels, mask == CAVITY, modality) for modality, voxels in scan.items()}
    write_scan(folder / f"BraTS-GLI-{index:05d}-{FIRST_TIMEPOINT}", BRATS2024, scan, mask)


def take_out(mask: Volume) -> Volume:
    """A mask whose core is a cavity on the left of its middle."""
    core = (mask == 1) | (mask == 3)
    left = np.arange(mask.shape[0])[:, None, None] > np.median(np.nonzero(core)[0])
    return np.where(core & left, np.int16(CAVITY), mask)


def _filled(voxels: Volume, cavity: np.ndarray, modality: str) -> Volume:
    """Fluid in the cavity, as bright as in the ventricles."""
    white = np.median(voxels[voxels > 0]) / CONTRASTS[modality].white
    return np.where(cavity, np.int16(white * CONTRASTS[modality].fluid), voxels)


BRATS2024_LAYOUT = BratsLayout("BraTS2024-GLI-TrainingData", write_brats2024)
