"""Whole volumes of people: patients with a grade, and healthy people, whose heads may need brain masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from common.cohorts.brains.masks import find_brain_mask, find_mask_problems
from common.cohorts.checks import find_header_problems
from common.cohorts.datasets.data_set import DataSet, Found, Kind, Wanted
from common.cohorts.datasets.registry import find_data_set
from common.cohorts.kinds.cohort_kind import CohortKind, Folder, choose_data_set, scan_kind
from common.cohorts.kinds.volumes import VOLUMES, scan_list
from common.cohorts.labels.classes import log_left_out
from common.errors import DatasetError, KnobError, Problem
from common.names import soundly_named
from common.records import Record, check_modalities, scan_of, value_of


def scan_people(
    dataset_dir: Folder | None, healthy_dir: Folder | None, datalist: Folder | None, wanted: Wanted
) -> Found:
    """The sound people of a folder or list, and of a folder of healthy people, and all problems of the others.

    Args:
        dataset_dir: patients, or healthy people alone.
        healthy_dir: healthy people.
        datalist: replaces ``dataset_dir``; ``grade`` is LGG, HGG or healthy, ``brain_mask`` may name a mask.
        wanted: with ``need_label``, patients without a grade are left out; the log tells how many.

    Returns:
        One record per person or scan, with ``brain_mask`` where there is one.

    Raises:
        KnobError: nothing to read is given, an excluded person is not there, or there is no such modality.
    """
    check_modalities(wanted.modalities)
    if dataset_dir and not healthy_dir and not datalist and _is_healthy(dataset_dir):
        dataset_dir, healthy_dir = None, dataset_dir
    if not (dataset_dir or healthy_dir or datalist):
        raise KnobError(Problem("no data set is given", "--dataset_dir", f"Pass {PEOPLE.expected}."))
    healthy_names = [name for name in wanted.excluded if healthy_dir and name.upper().startswith("IXI")]
    records: list[Record] = []
    problems: list[Problem] = []
    if dataset_dir or datalist:
        others = [name for name in wanted.excluded if name not in healthy_names]
        records, problems = _patients(dataset_dir, datalist, replace(wanted, excluded=others, need_seg=False))
    if healthy_dir:
        own = replace(wanted, excluded=healthy_names if dataset_dir or datalist else wanted.excluded)
        healthy, wrong = _healthy(healthy_dir, own)
        records, problems = [*records, *healthy], [*problems, *wrong]
    if wanted.need_label:
        labelled = [record for record in records if record["grade"]]
        log_left_out(records, labelled, "no grade is recorded")
        records = labelled
    return records, problems


def add_masks_beside(records: Iterable[Record], modalities: Sequence[str]) -> Found:
    """The records with the mask that lies beside the first image, unless they name one."""
    found: list[Record] = []
    problems: list[Problem] = []
    for record in records:
        image = next((value_of(record, name) for name in modalities if record.get(name)), None)
        try:
            mask = record.get("brain_mask") or (find_brain_mask(image) if image else None)
        except DatasetError as error:
            problems += error.problems
        else:
            found.append({**record, "brain_mask": mask} if mask else record)
    return found, problems


def check_people(records: list[Record], wanted: Wanted) -> Found:
    """Look at the header of every image and of every brain mask."""
    headers = find_header_problems(records, wanted.modalities)
    readable = [record for record in records if scan_of(record) not in headers]
    masks = find_mask_problems(readable, wanted.modalities)
    problems = [problem for wrong in headers.values() for problem in wrong]
    return [record for record in readable if scan_of(record) not in masks], [*problems, *masks.values()]


def _is_healthy(folder: Folder) -> bool:
    found = find_data_set(folder, VOLUMES.takes)
    return found is not None and found.healthy


def _patients(dataset_dir: Folder | None, datalist: Folder | None, wanted: Wanted) -> Found:
    try:
        records, problems = scan_kind(VOLUMES, dataset_dir, datalist, wanted)
    except DatasetError as error:
        return [], list(error.problems)
    # Only BraTS is known to be stripped: whoever lists volumes of his own may have put masks beside them.
    listed, wrong = add_masks_beside(records, wanted.modalities) if datalist else (records, [])
    broken = find_mask_problems(listed, wanted.modalities)
    sound = [record for record in listed if scan_of(record) not in broken]
    return sound, [*problems, *wrong, *broken.values()]


def _healthy(folder: Folder, wanted: Wanted) -> Found:
    try:
        records, problems = choose_data_set(PEOPLE, folder).scan(folder, wanted)
    except DatasetError as error:
        return [], list(error.problems)
    if not records and not problems:
        return [], [Problem("nobody is left", Path(folder), "Exclude fewer people, or leave --healthy_dir out.")]
    records, misnamed = soundly_named(records)
    sound, wrong = check_people(records, wanted)
    return sound, [*problems, *misnamed, *wrong]


def _takes_healthy(data_set: DataSet) -> bool:
    return data_set.kind is Kind.VOLUMES and data_set.healthy


PEOPLE = CohortKind(
    name="people",
    sample="person",
    samples="healthy people",
    what="healthy people",
    takes=_takes_healthy,
    usual="ixi",
    expected="--dataset_dir <a BraTS folder as downloaded> and --healthy_dir <an IXI folder>, or a --datalist",
    scan_list=scan_list,
    check=check_people,
)
"""Of its two folders, that of the healthy; the patients are :data:`~common.cohorts.kinds.volumes.VOLUMES`."""
