"""RSNA-MICCAI 2021 as downloaded from Kaggle, or exported to images in the same layout.

``train/00000/FLAIR/Image-1.dcm`` ... with the folders ``FLAIR``, ``T1w``, ``T1wCE`` and ``T2w`` a patient, and
``train_labels.csv`` (``BraTS21ID,MGMT_value``), whose ids have leading zeros that spreadsheets like to drop.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.clinical_values import read_clinical
from common.cohorts.datasets.data_set import EVERYTHING, DataSet, Found, Kind, Outline, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import user_path
from common.formats.folders import list_folder, tell_contents, walk_tree
from common.formats.images import is_image_name
from common.records import MODALITIES, Record, check_modalities

SERIES_FOLDERS = {"flair": "FLAIR", "t1": "T1w", "t1ce": "T1wCE", "t2": "T2w"}
"""What the data set calls each modality."""

KNOWN_BAD = ("00109", "00123", "00709")
"""Patients with empty images, whom the organisers named and advised to leave out."""

LABELS = "train_labels.csv"
ID_DIGITS = 5
PATIENT = re.compile(rf"\d{{{ID_DIGITS}}}")
DEPTH = 3
LOOKED_FOR = (
    "Folders such as train/00000 with FLAIR, T1w, T1wCE and T2w in them were looked for. "
    "Pass the unpacked download, or a list of your own with --datalist."
)

logger = logging.getLogger(__name__)


def read_rsna_miccai(
    root: str | os.PathLike[str], need_label: bool = True, modalities: Sequence[str] = MODALITIES
) -> list[Record]:
    """Read RSNA-MICCAI as downloaded.

    Args:
        root: the folder that holds ``train`` and ``train_labels.csv``, or ``train`` itself with the table beside it, or
            one patient's folder.
        need_label: whether only patients with a label are wanted; without, those in ``test`` are read too.
        modalities: the series that every patient must have.

    Returns:
        One record per patient, sorted by subject: ``subject`` (such as ``00000``), ``source``, the folder of a series
        under each of ``modalities``, ``mgmt`` (1 methylated, 0 not, or ``None``) and ``label`` (the same).

    Raises:
        DatasetError: with all that is wrong in the folder. Slices are looked at when they are prepared.
    """
    records, problems = scan_rsna_miccai(root, Wanted(need_label=need_label, modalities=modalities))
    if problems:
        raise DatasetError(problems)
    return records


def scan_rsna_miccai(root: str | os.PathLike[str], wanted: Wanted = EVERYTHING) -> Found:
    """The patients whose series are there, and all problems.

    The patients of :data:`KNOWN_BAD` are left out.

    Raises:
        DatasetError: there is no such folder, or no patient in it.
        KnobError: an excluded patient is not in the folder, or a modality is none.
    """
    check_modalities(wanted.modalities)
    need_label = wanted.need_label
    root = user_path(root)
    tree = walk_tree(root, lambda name: PATIENT.fullmatch(name) is not None, {LABELS}, DEPTH)
    if not tree.patients and not tree.problems:
        what = f"no patient of RSNA-MICCAI is in it; it {tell_contents(list_folder(root))}"
        raise DatasetError(Problem(what, str(root), LOOKED_FOR))
    left = keep_scans({name: name for name in tree.patients}, wanted.excluded)
    tables = tree.tables or [path for path in _beside(root) if path.is_file()]
    mgmt, problems = _read_labels(tables, root, need_label)
    kept = _leave_out(tree.patients, mgmt, need_label)
    folders = {name: kept[name] for name in sorted(left) if name in kept}
    problems = [*tree.problems, *problems]
    records: list[Any] = []
    for subject, found in folders.items():
        series, wrong = _find_series_folders(found[0], wanted.modalities, wanted.need_all)
        if len(found) > 1:
            wrong.append(Problem(f"there are {len(found)} folders of patient {subject}", str(root), "Keep one."))
        if need_label and mgmt and subject not in mgmt:
            what = f"patient {subject} has no MGMT_value"
            wrong.append(Problem(what, str(tables[0]), f"Add the value, or use --exclude {subject}."))
        problems += wrong
        if not wrong:
            value = mgmt.get(subject)
            records.append({"subject": subject, "source": "rsna_miccai", **series, "mgmt": value, "label": value})
    return records, problems


def _beside(root: Path) -> Iterable[Path]:
    """Where the table lies when ``train`` or one patient's folder was passed."""
    return (root.parent / LABELS, root.parent.parent / LABELS)


def _read_labels(tables: Sequence[Path], root: Path, need_label: bool) -> tuple[dict[str, int], list[Problem]]:
    """MGMT status by subject, leading zeros restored."""
    if not tables:
        problem = Problem(f"{LABELS} is not there", str(root), "Download it, or list the patients with --datalist.")
        return {}, [problem] if need_label else []
    clinical, problems = read_clinical(dict.fromkeys(tables, ("mgmt",)))
    mgmt: dict[str, int] = {}
    for name, values in clinical.items():
        subject = name.zfill(ID_DIGITS)
        if "mgmt" in values and mgmt.setdefault(subject, values["mgmt"]) != values["mgmt"]:
            what = f"patient {subject} is listed twice, with and without leading zeros, with different values"
            problems.append(Problem(what, str(tables[0]), "Keep the row that is right."))
    return mgmt, problems


def _leave_out(folders: Mapping[str, list[Path]], mgmt: Mapping[str, int], need_label: bool) -> dict[str, list[Path]]:
    """Without the known bad patients and, where labels are needed, those of the test side, who have none."""
    bad = [name for name in KNOWN_BAD if name in folders]
    if bad:
        logger.warning("Left out, for the data set's organisers named their images as bad: %s", ", ".join(bad))
    unlabelled = [
        name
        for name, found in folders.items()
        if need_label and name not in mgmt and all(folder.parent.name.lower() == "test" for folder in found)
    ]
    if unlabelled:
        logger.info("%d patients of the test side have no label and were not read", len(unlabelled))
    if absent := sorted(mgmt.keys() - folders.keys() - set(KNOWN_BAD)):
        logger.info("%d patients of %s have no folder here", len(absent), LABELS)
    return {name: found for name, found in folders.items() if name not in {*bad, *unlabelled}}


def _find_series_folders(
    folder: Path, modalities: Sequence[str], need_all: bool
) -> tuple[dict[str, Any], list[Problem]]:
    try:
        contents = {path.name.lower(): path for path in list_folder(folder) if path.is_dir()}
    except DatasetError as error:
        return {}, list(error.problems)
    series: dict[str, Any] = {}
    problems = []
    hint = f"Download it again, or use --exclude {folder.name}."
    for modality in modalities:
        path = contents.get(SERIES_FOLDERS[modality].lower())
        if path is None:
            continue
        series[modality] = str(path)
        if not _holds_slices(path):
            problems.append(Problem(f"holds no slice; it {tell_contents(list_folder(path))}", str(path), hint))
    absent = [SERIES_FOLDERS[modality] for modality in modalities if modality not in series]
    if absent and (need_all or not series):
        what = f"has no folder {', '.join(absent)} (it {tell_contents(list_folder(folder))})"
        problems.append(Problem(what, str(folder), hint))
    return series, problems


def _holds_slices(folder: Path) -> bool:
    """Only names are looked at: the slices of 585 patients are 350,000 files."""
    return any(path.suffix.lower() in (".dcm", ".ima", "") or is_image_name(path) for path in list_folder(folder))


def _recognise(outline: Outline) -> bool:
    """A folder that is named as a patient and holds one that is named as a series."""
    names = {name.lower() for name in SERIES_FOLDERS.values()}
    return any(folder.name.lower() in names and PATIENT.fullmatch(folder.parent.name) for folder in outline.folders)


DATA_SETS = (
    DataSet(
        name="rsna_miccai",
        title="RSNA-MICCAI 2021",
        kind=Kind.SERIES,
        recognise=_recognise,
        scan=scan_rsna_miccai,
        origin="Kaggle competition *RSNA-MICCAI Brain Tumor Radiogenomic Classification*",
        terms="the competition's rules",
        citation="Baid et al., arXiv:2107.02314; Menze et al., IEEE TMI 34, 1993 (2015); "
        "Bakas et al., Sci Data 4, 170117 (2017)",
        tasks=("mgmt",),
    ),
)
