"""BraTS's challenges besides adult glioma, by the names of their folders.

``BraTS-MET-00001-000`` (metastases), ``BraTS-PED-00001-000`` (children), ``BraTS-MEN-00004-000`` and
``BraTS-MEN-RT-0000-1`` (meningioma).
"""

from __future__ import annotations

import re

from common.cohorts.datasets.brats import scan_brats
from common.cohorts.datasets.data_set import DataSet, Kind, Outline

ANOTHER_DISEASE = "The bundles are about adult glioma: pass BraTS-GLI of 2023 or 2024, or BraTS 2018 to 2021."


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
    )


DATA_SETS = (
    _another_disease("met", "metastases", "Metastases grow and look otherwise."),
    _another_disease("ped", "tumours of children", "Its labels are others (cystic component)."),
    _another_disease("men", "meningioma", "Meningioma lies outside of the brain."),
)
