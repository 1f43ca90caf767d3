"""Phantoms as UPENN-GBM names its files: glioblastoma, a mask by an expert of every third patient, and its table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from common.cohorts.datasets.upenn_gbm import BASELINE, MASKS, STRUCTURAL, TABLE
from common.phantoms.generative_rule import PhantomPatient
from common.phantoms.layouts.brats2020 import BratsLayout, write_nifti
from common.phantoms.scans import PhantomSubject
from common.phantoms.writing.folder import write_table

NIFTI = "NIfTI-files"
UNKNOWN = "Not Available"


def scan_name(patient: PhantomPatient) -> str:
    """The scan before surgery."""
    return f"UPENN-GBM-{patient.index + 1:05d}_11"


def write_upenn_gbm(folder: Path, subject: PhantomSubject) -> None:
    """Write a patient's images and masks; an automated mask is the expert's without its first slice of tumour."""
    name = scan_name(subject.patient)
    for modality, voxels in subject.modalities.items():
        stem = BASELINE.stems(name, modality)[0]
        write_nifti(folder / NIFTI / STRUCTURAL / name / f"{stem}.nii.gz", voxels)
    mask = subject.mask.astype(np.int16)
    expert, automated = (folder / NIFTI / place / f"{name}_{ending}.nii.gz" for place, ending in MASKS.items())
    if subject.patient.index % 3 == 0:
        write_nifti(expert, mask)
    lowest = np.nonzero(mask)[2].min()
    mask[..., lowest] = 0
    write_nifti(automated, mask)


def write_clinical(folder: Path, cohort: Sequence[PhantomPatient], _: bool) -> None:
    """Write the table of ages, survival and resections."""
    rows = [
        {
            "ID": scan_name(patient),
            "Age_at_scan_years": f"{patient.age:.2f}",
            "Survival_from_surgery_days_UPDATED": UNKNOWN if patient.alive else patient.survival_days,
            "Survival_Status": "Alive" if patient.alive else "Deceased",
            "Survival_Censor": patient.survival_days if patient.alive else UNKNOWN,
            "MGMT": UNKNOWN,
            "GTR_over90percent": {"GTR": "Y", "STR": "N", None: UNKNOWN}[patient.resection],
        }
        for patient in cohort
    ]
    write_table(folder / TABLE, pd.DataFrame(rows))


UPENN_GBM = BratsLayout("UPENN-GBM", write_upenn_gbm, write_clinical, lgg_share=0.0)
