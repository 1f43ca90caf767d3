"""The cohort that a run works on, as its knobs say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from common.cohorts.checks import find_header_problems
from common.cohorts.datalist import scan_datalist
from common.cohorts.datasets.brats import scan_brats
from common.cohorts.datasets.brats_hdf5 import find_slices, scan_hdf5
from common.cohorts.exclusion import split_names
from common.command_line import as_typed
from common.errors import DatasetError, KnobError, Problem
from common.names import soundly_named, warn_of_similar_names
from common.records import MODALITIES, Record, scan_of


def read_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_seg: bool = True,
    modalities: Sequence[str] = MODALITIES,
    need_all: bool = True,
) -> list[Record]:
    """Read the patients of a run and check the header of every file.

    Args:
        dataset_dir: a BraTS folder as downloaded, of NIfTI files or of HDF5 slices.
        datalist: a JSON or CSV list that replaces the folder.
        exclude: subjects (with all their scans) or scans to leave out, as a list or comma-separated; their files are
            not looked at.
        need_seg: whether a patient without a mask is a problem.
        modalities: the images that every patient must have.
        need_all: whether a patient without one of the modalities is a problem.

    Returns:
        A record a patient, or a scan, sorted by subject.

    Raises:
        DatasetError: with all that is wrong with the folder, the list and the files.
        KnobError: neither a folder nor a list is given, or an excluded patient is not there.
    """
    records, problems = scan_cohort(dataset_dir, datalist, exclude, need_seg, modalities, need_all)
    if problems:
        raise DatasetError(problems)
    warn_of_similar_names(records)
    return records


def scan_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_seg: bool = True,
    modalities: Sequence[str] = MODALITIES,
    need_all: bool = True,
) -> tuple[list[Record], list[Problem]]:
    """Like :func:`read_cohort`, but return the sound patients and all problems of the others.

    Raises:
        DatasetError: there is no patient to look at.
        KnobError: as in :func:`read_cohort`.
    """
    excluded = split_names(as_typed("exclude", exclude))
    if datalist:
        place = datalist
        records, problems = scan_datalist(datalist, need_seg, modalities, excluded, need_all)
    elif dataset_dir:
        place = dataset_dir
        tree = find_slices(dataset_dir)
        if tree.volumes:
            records, problems = scan_hdf5(dataset_dir, need_seg, modalities, excluded, tree)
        else:
            records, problems = scan_brats(dataset_dir, need_seg, modalities, excluded, need_all)
    else:
        hint = "Pass --dataset_dir <a BraTS folder as downloaded>, or --datalist <a JSON or CSV file>."
        raise KnobError(Problem("no data set is given", "--dataset_dir", hint))
    if not records and not problems:
        raise DatasetError(Problem("no patient is left", str(place), "Exclude fewer patients."))
    records, misnamed = soundly_named(records)
    found = find_header_problems(records, modalities)
    sound = [record for record in records if scan_of(record) not in found]
    return sound, [*problems, *misnamed, *(problem for wrong in found.values() for problem in wrong)]
