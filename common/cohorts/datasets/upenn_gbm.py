"""UPENN-GBM as The Cancer Imaging Archive gives it: glioblastoma before surgery, as NIfTI files.

.. code-block:: text

    UPENN-GBM/NIfTI-files/images_structural/UPENN-GBM-00001_11/UPENN-GBM-00001_11_FLAIR.nii.gz (T1, T1GD, T2)
    UPENN-GBM/NIfTI-files/images_segm/UPENN-GBM-00001_11_segm.nii.gz
    UPENN-GBM/NIfTI-files/automated_segm/UPENN-GBM-00001_11_automated_approx_segm.nii.gz
    UPENN-GBM_clinical_info_v2.1.csv

Images are registered to SRI-24 and stripped of the skull, masks have the labels 1, 2 and 4 of BraTS until 2021. Where
an expert corrected a mask (147 of 611 patients), that one is read, else the automated one. The table is downloaded by
itself; without it nothing but the grade is known: glioblastoma is of grade 4, high. ``GTR_over90percent`` stands for
gross total (``Y``) and subtotal resection (``N``). A death is in ``Survival_from_surgery_days_UPDATED``, the last
contact with somebody who lives or was lost in ``Survival_Censor``. MGMT is in the table too, but the bundle of MGMT
classification takes DICOM series.

Scans of a recurrence (``..._21``) are left out: they have no masks, and their survival is counted from another day.
Patients of the University of Pennsylvania are in BraTS too, under other names.

The layout, labels and columns are those that public code reads (neuro-ml/amid, ``amid/upenn_gbm``;
MedARC-AI/brainmarks-smri, ``scripts/upenn_gbm``; pwoznicki/RadiomicsHub, ``radhub/UPENN_GBM``). No file of the data set
itself was at hand: the values in the cells of the table are as the second of these describes them.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.clinical_values import NOT_RECORDED, Clinical, merge_clinical, parse_clinical
from common.cohorts.datasets.brats import find_scan_files, tell_twice, warn_of_others
from common.cohorts.datasets.brats_releases import Release
from common.cohorts.datasets.data_set import DEPTH, DataSet, Found, Kind, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import user_path
from common.formats.folders import find_nifti, list_folder, tell_contents, walk_tree
from common.formats.tables import read_table, require_columns

BASELINE = Release(
    "upenn_gbm",
    "UPENN-GBM",
    r"(?P<subject>upenn-gbm-\d{5})_11",
    modalities={"flair": "FLAIR", "t1": "T1", "t1ce": "T1GD", "t2": "T2"},
)
SCAN = re.compile(r"upenn-gbm-\d{5}_\d{2}", re.IGNORECASE)
STRUCTURAL = "images_structural"
MASKS = {"images_segm": "segm", "automated_segm": "automated_approx_segm"}
"""The folders of masks and how their files' names end, the better one first."""

TABLE = "UPENN-GBM_clinical_info_v2.1.csv"
COLUMNS = {
    "id": "ID",
    "age": "Age_at_scan_years",
    "survival_days": "Survival_from_surgery_days_UPDATED",
    "censored_days": "Survival_Censor",
    "resection": "GTR_over90percent",
}
"""The table's columns, by what records call them."""

UNKNOWN = ("not available", "not applicable")
RESECTIONS = {"Y": "GTR", "N": "STR"}
LOOKED_FOR = (
    "Folders such as images_structural/UPENN-GBM-00001_11 were looked for. Pass the unpacked NIfTI download, with "
    f"{TABLE} in it or beside it."
)

logger = logging.getLogger(__name__)


def scan_upenn_gbm(root: str | os.PathLike[str], wanted: Wanted) -> Found:
    """The patients whose files are there, and all problems.

    Raises:
        DatasetError: there is no such folder, or no patient in it.
        KnobError: an excluded patient or scan is not in the folder.
    """
    root = user_path(root)
    tree = walk_tree(root, lambda name: SCAN.fullmatch(name) is not None, {TABLE.lower()}, DEPTH)
    structural = {name: [folder for folder in found if _is_structural(folder)] for name, found in tree.patients.items()}
    folders = {name: found for name, found in sorted(structural.items()) if found and BASELINE.match(name)}
    if not folders and not tree.problems:
        what = f"no patient of UPENN-GBM is in it; it {tell_contents(list_folder(root))}"
        raise DatasetError(Problem(what, root, LOOKED_FOR))
    if later := sum(bool(found) for name, found in structural.items() if name not in folders):
        logger.info("%d scans of a recurrence in %s are not read", later, root)
    names = {name: BASELINE.names(name) for name in folders}
    kept = keep_scans({name: named["subject"] for name, named in names.items()}, wanted.excluded)
    clinical, problems = _read_clinical(root, tree.tables, [name.lower() for name in folders])
    problems = [*tree.problems, *tell_twice({name: folders[name] for name in kept}), *problems]
    records: list[Any] = []
    for name in kept:
        files, wrong = find_scan_files(folders[name][0], BASELINE, wanted.modalities, wanted.need_all)
        mask = _find_mask(folders[name][0])
        if mask is None and wanted.need_seg:
            what = f"has no mask in {' or '.join(MASKS)}"
            wrong.append(Problem(what, folders[name][0], f"Download it again or use --exclude {name}."))
        problems += wrong
        if not wrong:
            about = {**names[name], **files, **({"seg": str(mask)} if mask else {})}
            known = {**NOT_RECORDED, **clinical.get(name.lower(), {}), "grade": "HGG"}
            records.append({**about, "mask_values": list(BASELINE.mask_values), **known})
    return records, problems


def _is_structural(folder: Path) -> bool:
    return folder.parent.name.lower() == STRUCTURAL


def _find_mask(folder: Path) -> Path | None:
    for place, ending in MASKS.items():
        masks = folder.parent.parent / place
        if masks.is_dir() and (found := find_nifti(list_folder(masks), f"{folder.name}_{ending}")):
            return found
    return None


def _read_clinical(root: Path, found: list[Path], scans: Sequence[str]) -> tuple[dict[str, Clinical], list[Problem]]:
    """What was recorded of each scan, under its name in lower case, and all problems; ``scans`` are here."""
    tables = found or [path for path in (folder / TABLE for folder in list(root.parents)[:2]) if path.is_file()][:1]
    if not tables:
        logger.warning("%s is neither in %s nor beside it: ages and survival are not known", TABLE, root)
        return {}, []
    clinical: dict[str, Clinical] = {}
    problems: list[Problem] = []
    for path in tables:
        try:
            problems += _read_into(clinical, path, scans)
        except DatasetError as error:
            problems += error.problems
    return clinical, problems


def _read_into(clinical: dict[str, Clinical], path: Path, scans: Sequence[str]) -> list[Problem]:
    table = read_table(path, {title.lower(): column for column, title in COLUMNS.items()})
    require_columns(table, COLUMNS, COLUMNS)
    problems: list[Problem] = []
    for line, row in table.rows:
        where = f"{path}, line {line}"
        values, unreadable = parse_clinical(_as_recorded(row), where, table.titles)
        known = clinical.setdefault(row["id"].lower(), {})
        problems += [*unreadable, *merge_clinical(known, values, f"{where} ({row['id']})")]
    warn_of_others(path, {row["id"].lower() for _, row in table.rows}, scans)
    return problems


def _as_recorded(row: Mapping[str, str]) -> dict[str, str]:
    """A row of the table in the words of records."""
    known = {column: "" if row[column].lower() in UNKNOWN else row[column] for column in COLUMNS}
    is_censored = not known["survival_days"] and known["censored_days"]
    return {
        "age": known["age"],
        "survival_days": known["survival_days"] or known["censored_days"],
        "alive": "true" if is_censored else "",
        "resection": RESECTIONS.get(known["resection"], known["resection"]),
    }


DATA_SETS = (
    DataSet(
        name=BASELINE.source,
        title=BASELINE.title,
        kind=Kind.VOLUMES,
        recognise=lambda outline: outline.has_folder(SCAN.fullmatch),
        scan=scan_upenn_gbm,
        origin="*UPENN-GBM*, NIfTI files and clinical data, at The Cancer Imaging Archive",
        terms="CC BY 4.0, and the archive's data usage policy",
        citation="Bakas et al., Sci Data 9, 453 (2022); Bakas et al., TCIA (2021), doi:10.7937/TCIA.709X-DN49",
        tasks=("segmentation", "survival", "volume_grade"),
        note="All its patients are HGG.",
    ),
)
