"""BraTS 2018 to 2021 and BraTS 2023 (adult glioma) as they are downloaded from the organisers or from Kaggle.

A patient is a folder named as the release names its patients; in BraTS 2023 a folder is a scan, and a patient has one
for each timepoint. Grade comes from an ``HGG`` or ``LGG`` folder or from ``name_mapping.csv``; age, survival and extent
of resection come from ``survival_data.csv`` (2018, 2019) or ``survival_info.csv`` (2020). A release without tables
(2021, 2023) is read without these values.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.clinical_values import NOT_RECORDED, read_clinical
from common.cohorts.datasets.brats_releases import RELEASES, Release, find_release
from common.cohorts.datasets.data_set import DEPTH, EVERYTHING, DataSet, Found, Kind, Outline, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import user_path
from common.formats.folders import Tree, find_nifti, list_folder, tell_contents, walk_tree
from common.formats.hdf5_slices import SLICE
from common.names import name_some
from common.records import MODALITIES, Record

logger = logging.getLogger(__name__)

TABLES = {
    "name_mapping.csv": ("grade",),
    "survival_data.csv": ("age", "survival_days", "resection"),
    "survival_info.csv": ("age", "survival_days", "resection"),
    "survival_evaluation.csv": ("age",),
}
"""The tables that are read where they are found, and the columns that each must have."""

SPREADSHEETS = tuple(f"{Path(name).stem}{ending}" for name in TABLES for ending in (".xlsx", ".xls", ".ods"))
"""What a person may have made of them."""

GRADE_FOLDERS = {"HGG", "LGG"}
LOOKED_FOR = (
    "Folders such as Brats18_CBICA_ABM_1, BraTS19_CBICA_AAB_1, BraTS20_Training_001, BraTS2021_00000 or "
    "BraTS-GLI-00000-000, and files such as volume_1_slice_0.h5, were looked "
    f"for, up to {DEPTH} levels deep. Pass the unpacked download, or a list of your own with --datalist."
)


def read_brats(
    root: str | os.PathLike[str], need_seg: bool = True, modalities: Sequence[str] = MODALITIES
) -> list[Record]:
    """Read a BraTS folder as downloaded.

    Args:
        root: the folder that holds the patients, directly or a few levels deeper, or one patient's folder.
        need_seg: whether a patient without a mask is a problem; False for the validation data.
        modalities: the images that every patient must have.

    Returns:
        One record per patient (BraTS 2023: a scan), sorted by name; see :mod:`common.records`.

    Raises:
        DatasetError: with all that is wrong in the folder.
    """
    records, problems = scan_brats(root, Wanted(need_seg=need_seg, modalities=modalities))
    if problems:
        raise DatasetError(problems)
    return records


def scan_brats(root: str | os.PathLike[str], wanted: Wanted = EVERYTHING) -> Found:
    """The patients whose files are complete, and all problems.

    Raises:
        DatasetError: there is no such folder, or no patient in it.
        KnobError: an excluded patient or scan is not in the folder.
    """
    root = user_path(root)
    tree = walk_tree(root, lambda name: find_release(name) is not None, {*TABLES, *SPREADSHEETS}, DEPTH)
    if not tree.patients and not tree.problems:
        what = f"no BraTS patient is in it; it {tell_contents(list_folder(root))}"
        raise DatasetError(Problem(what, root, LOOKED_FOR))
    releases = {name: release for name in sorted(tree.patients) if (release := find_release(name))}
    subjects = {name: release.names(name)["subject"] for name, release in releases.items()}
    folders = {name: tree.patients[name] for name in keep_scans(subjects, wanted.excluded)}

    clinical, unreadable = read_clinical(_columns(tree.tables))
    _warn_of_tables(tree.tables, [subject.lower() for subject in subjects.values()])
    problems = [*tree.problems, *unreadable, *tell_twice(folders), *_mixed_releases(folders, releases, root)]
    records: list[Any] = []
    without_mask = []
    for name, (folder, *copies) in folders.items():
        release = releases[name]
        files, wrong = find_scan_files(folder, release, wanted.modalities, wanted.need_all)
        recorded, contradicted = _merge_grade(clinical.get(subjects[name].lower(), {}), folder, root)
        problems += [*wrong, *contradicted]
        if wanted.need_seg and "seg" not in files:
            without_mask.append(folder)
        elif not (wrong or contradicted or copies):
            stored = {"mask_values": list(release.mask_values)}
            records.append({**release.names(name), **files, **stored, **recorded})
    return records, problems + _tell_without_masks(without_mask, tree, releases)


def _columns(tables: Iterable[Path]) -> dict[Path, Sequence[str]]:
    """The tables that can be read, with the columns that they must have."""
    return {path: TABLES[path.name.lower()] for path in tables if path.name.lower() in TABLES}


def _warn_of_tables(tables: Sequence[Path], subjects: Sequence[str]) -> None:
    """Tell tables of which nothing is known in the end: spreadsheets, and those of other patients."""
    read = _columns(tables)
    beside = {path.with_suffix("") for path in read}
    for path in tables:
        if path not in read and path.with_suffix("") not in beside:
            logger.warning("%s is a spreadsheet and not read: save it beside as CSV (in Excel: CSV UTF-8)", path)
    for path, columns in read.items():
        named, problems = read_clinical({path: columns})
        if not problems:
            warn_of_others(path, named, subjects)


def warn_of_others(path: Path, named: Collection[str], subjects: Collection[str]) -> None:
    """Tell a table that names none of the ``subjects``, all in lower case."""
    if subjects and set(named).isdisjoint(subjects):
        theirs = f"; it names {name_some(named)}" if named else ""
        logger.warning("%s names none of the %d patients that are here%s", path, len(set(subjects)), theirs)


def find_scan_files(
    folder: Path, release: Release, modalities: Sequence[str], need_all: bool
) -> tuple[dict[str, Any], list[Problem]]:
    """The files of a scan.

    Args:
        folder: of the scan.
        release: tells their names.
        modalities: to look for.
        need_all: whether each must be there, or one of them.

    Returns:
        Paths by modality and ``seg``, each absent where there is no file and ``None`` where it is ambiguous; and what
        is wrong.
    """
    files: dict[str, Any] = {}
    problems: list[Problem] = []
    try:
        contents = list_folder(folder)
    except DatasetError as error:
        return {"seg": None}, list(error.problems)
    for key in (*modalities, "seg"):
        stems = release.stems(folder.name, key)
        try:
            path = next(filter(None, (find_nifti(contents, stem) for stem in stems)), None)
        except DatasetError as error:
            problems += error.problems
            files[key] = None
        else:
            files.update({key: str(path)} if path else {})
    absent = [modality for modality in modalities if modality not in files]
    if absent and (need_all or len(absent) == len(modalities)):
        what = f"has no {', '.join(absent)} (it {tell_contents(contents)})"
        wanted = f"{release.stems(folder.name, absent[0])[0]}.nii.gz or .nii is expected"
        problems.append(Problem(what, folder, f"{wanted}; download it again or use --exclude {folder.name}."))
    return files, problems


def _merge_grade(recorded: dict[str, Any], folder: Path, root: Path) -> tuple[dict[str, Any], list[Problem]]:
    """Clinical values of a patient, with the grade that the folders above tell."""
    above = {part.upper() for part in folder.relative_to(root.parent).parts[:-1]} & GRADE_FOLDERS
    told = above.pop() if len(above) == 1 else None
    mapped = recorded.get("grade")
    values = {**NOT_RECORDED, **recorded, "grade": mapped or told}
    if mapped and told and mapped != told:
        hint = "Find out which is right, move the folder or correct the table."
        return values, [Problem(f"lies in {told} but name_mapping.csv says {mapped}", folder, hint)]
    return values, []


def tell_twice(folders: Mapping[str, Sequence[Path]]) -> list[Problem]:
    """A problem for each scan that was unpacked more than once."""
    hint = "Keep one of them: a patient must not be counted twice."
    return [
        Problem(f"the same patient is also in {', '.join(str(copy) for copy in copies)}", first, hint)
        for first, *copies in folders.values()
        if copies
    ]


def _mixed_releases(folders: Iterable[str], releases: Mapping[str, Release], root: Path) -> list[Problem]:
    counts = Counter(releases[name].source for name in folders)
    if len(counts) < 2:
        return []
    counted = " and ".join(f"{count} scans of {release}" for release, count in sorted(counts.items()))
    hint = "The releases share patients under other names, so a split could leak: pass one release's folder."
    return [Problem(f"holds {counted}", root, hint)]


def _tell_without_masks(folders: list[Path], tree: Tree, releases: Mapping[str, Release]) -> list[Problem]:
    """A problem for each patient without a mask, but only one for a folder where no patient has a mask."""
    beside = Counter(folder.parent for found in tree.patients.values() for folder in found)
    lacking = Counter(folder.parent for folder in folders)
    unlabelled = [parent for parent, count in lacking.items() if 1 < count == beside[parent]]
    problems = []
    for parent in unlabelled:
        what = f"none of its {lacking[parent]} patients has a mask (seg), as in validation data"
        problems.append(Problem(what, parent, "Pass the folder of the training data."))
    for folder in folders:
        if folder.parent not in unlabelled:
            what = f"has no mask (it {tell_contents(list_folder(folder))})"
            wanted = f"{releases[folder.name].stems(folder.name, 'seg')[0]}.nii.gz or .nii is expected"
            problems.append(Problem(what, folder, f"{wanted}; download it again or use --exclude {folder.name}."))
    return problems


def _data_set(release: Release) -> DataSet:
    def recognise(outline: Outline) -> bool:
        """Folders named as the release's patients, and no slices: those come with tables of the same patients."""
        return outline.has_folder(release.match) and not outline.has_file(SLICE.fullmatch)

    return DataSet(
        name=release.source,
        title=release.title,
        kind=Kind.VOLUMES,
        recognise=recognise,
        scan=scan_brats,
        origin=release.origin,
        terms=release.terms,
        citation=release.citation,
        tasks=release.tasks,
    )


DATA_SETS = tuple(map(_data_set, RELEASES))
