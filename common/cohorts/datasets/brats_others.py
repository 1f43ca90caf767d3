"""BraTS's challenges besides adult glioma before treatment, by the names of their folders.

``BraTS-GLI-02064-100`` (2024: after treatment, the timepoint begins at 100), ``BraTS-MET-00001-000`` (metastases),
``BraTS-PED-00001-000`` (children), ``BraTS-MEN-00004-000`` and ``BraTS-MEN-RT-0000-1`` (meningioma).
"""

from __future__ import annotations

import os
import re

from common.cohorts.datasets.brats import CITATION, scan_brats
from common.cohorts.datasets.data_set import DataSet, Found, Kind, Outline, Wanted
from common.errors import DatasetError, Problem
from common.records import Record, scan_of, without_key

BRATS2024 = re.compile(r"brats-gli-\d+-[1-9]\d{2}", re.IGNORECASE)
FIRST = -1
"""These know names that fit the releases' patterns too, so they are asked before them."""

CAVITY = (
    "Its label 4 is the resection cavity, which no bundle has a class for: decide what it shall be (background is 0), "
    "write masks without a 4, and list them with --datalist and mask_values 1 2 3. Images without masks are read."
)
ANOTHER_DISEASE = "The bundles are about adult glioma: pass BraTS-GLI of 2023, or BraTS 2018 to 2021."


def scan_brats2024(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    """The scans without their masks, whose labels the networks do not have.

    Raises:
        DatasetError: masks are wanted, or there is no scan in the folder.
        KnobError: an excluded patient or scan is not in the folder.
    """
    if wanted.need_seg:
        raise DatasetError(Problem("holds BraTS 2024 GLI, glioma after treatment", str(root), CAVITY))
    records, problems = scan_brats(root, wanted)
    return [_without_mask(record) for record in records], problems


def _without_mask(record: Record) -> Record:
    scan = without_key(record, "seg")
    return {**scan, "source": "brats2024"} if BRATS2024.fullmatch(scan_of(record)) else record


def _another_disease(name: str, disease: str, labels: str) -> DataSet:
    pattern = re.compile(rf"brats-{name}(-rt)?-\d+-\d+", re.IGNORECASE)

    def recognise(outline: Outline) -> bool:
        return outline.has_folder(pattern.fullmatch)

    return DataSet(
        name=f"brats_{name}",
        title=f"BraTS-{name.upper()}, {disease}",
        kind=Kind.VOLUMES,
        recognise=recognise,
        scan=scan_brats,
        refused=f"{labels} {ANOTHER_DISEASE}",
        rank=FIRST,
    )


DATA_SETS = (
    DataSet(
        name="brats2024",
        title="BraTS 2024 GLI",
        kind=Kind.VOLUMES,
        recognise=lambda outline: outline.has_folder(BRATS2024.fullmatch),
        scan=scan_brats2024,
        terms="For research after registration with the organisers; not to be passed on.",
        citation=f"de Verdier et al., arXiv:2405.18368; {CITATION}",
        read_by="Inference reads its images.",
        rank=FIRST,
    ),
    _another_disease("met", "metastases", "Metastases grow and look otherwise."),
    _another_disease("ped", "tumours of children", "Its labels are others (cystic component)."),
    _another_disease("men", "meningioma", "Meningioma lies outside of the brain."),
)
