"""The cohort of whole volumes that a run works on, as its knobs say: patients with a grade, and healthy people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.brains.masks import find_brain_mask, find_mask_problems
from common.cohorts.brats_reader import scan_cohort
from common.cohorts.checks import find_header_problems
from common.cohorts.datasets.ixi import name_of_file, scan_ixi
from common.cohorts.datasets.kinds import is_ixi
from common.cohorts.exclusion import split_names
from common.cohorts.inference_patients import one_patient
from common.cohorts.labels.classes import log_left_out
from common.cohorts.labels.grades import NO_GRADE
from common.command_line import as_typed, with_typed_subject
from common.errors import DatasetError, KnobError, Problem
from common.names import soundly_named, warn_of_similar_names
from common.records import BRATS_MASK_VALUES, Record, check_modalities, scan_of, value_of

Folder = str | os.PathLike[str]
Found = tuple[list[Record], list[Problem]]


def read_volume_cohort(
    dataset_dir: Folder | None = None,
    healthy_dir: Folder | None = None,
    datalist: Folder | None = None,
    exclude: str | Iterable[str] | None = None,
    modalities: Sequence[str] = ("t1ce",),
    need_label: bool = True,
    volumes: Mapping[str, Any] | None = None,
) -> list[Record]:
    """Read the people of a run and check the header of every file.

    Args:
        dataset_dir: a BraTS folder as downloaded, or an IXI folder; see :func:`~common.cohorts.read_cohort`.
        healthy_dir: an IXI folder, whose people are added as healthy; see :func:`~common.cohorts.read_ixi`.
        datalist: a JSON or CSV list that replaces ``dataset_dir``; ``grade`` is LGG, HGG or healthy, and
            ``brain_mask`` may name a mask of the brain.
        exclude: subjects (with all their scans) or scans of either data set to leave out.
        modalities: the images that everybody must have.
        need_label: whether patients without a grade are left out; the log tells how many.
        volumes: one patient's files by modality, for inference, perhaps with ``brain_mask`` and ``subject``; ``None``
            for what is not given.

    Returns:
        A record a person or scan, sorted by name within each data set: ``subject``, ``scan`` where there is one,
        ``source``, the path of each of ``modalities``, ``grade`` (``LGG``, ``HGG``, ``healthy`` or ``None``),
        ``brain_mask`` where there is one, ``seg`` and ``mask_values`` where there is a mask of the tumour.

    Raises:
        DatasetError: with all that is wrong with the folders, the list and the files.
        KnobError: nothing to read is given, or too much, an excluded person is not there, or there is no such modality.
    """
    check_modalities(modalities)
    given = {key: value for key, value in with_typed_subject(volumes).items() if value}
    if given.keys() - {"subject"}:
        if dataset_dir or healthy_dir or datalist:
            hint = "Give folders, a list, or one patient's files."
            raise KnobError(Problem("files and a folder or list were given", "--dataset_dir", hint))
        records, problems = _check_files(_one_person(given, modalities), modalities)
    else:
        records, problems = scan_volume_cohort(dataset_dir, healthy_dir, datalist, exclude, modalities, need_label)
    if problems:
        raise DatasetError(problems)
    warn_of_similar_names(records)
    return records


def scan_volume_cohort(
    dataset_dir: Folder | None = None,
    healthy_dir: Folder | None = None,
    datalist: Folder | None = None,
    exclude: str | Iterable[str] | None = None,
    modalities: Sequence[str] = ("t1ce",),
    need_label: bool = True,
) -> Found:
    """Like :func:`read_volume_cohort`, but return the sound people and all problems of the others.

    Raises:
        KnobError: as in :func:`read_volume_cohort`.
    """
    check_modalities(modalities)
    if dataset_dir and not healthy_dir and not datalist and is_ixi(dataset_dir):
        dataset_dir, healthy_dir = None, dataset_dir
    if not (dataset_dir or healthy_dir or datalist):
        hint = "Pass --dataset_dir <a BraTS folder as downloaded> and --healthy_dir <an IXI folder>, or a --datalist."
        raise KnobError(Problem("no data set is given", "--dataset_dir", hint))
    excluded = split_names(as_typed("exclude", exclude))
    of_ixi = [name for name in excluded if healthy_dir and name.upper().startswith("IXI")]
    records: list[Record] = []
    problems: list[Problem] = []
    if dataset_dir or datalist:
        others = [name for name in excluded if name not in of_ixi]
        records, problems = _patients(dataset_dir, datalist, others, modalities)
    if healthy_dir:
        healthy, wrong = _healthy(healthy_dir, of_ixi if dataset_dir or datalist else excluded, modalities)
        records, problems = [*records, *healthy], [*problems, *wrong]
    if need_label:
        labelled = [record for record in records if record["grade"]]
        log_left_out(records, labelled, NO_GRADE)
        records = labelled
    return records, problems


def _patients(
    dataset_dir: Folder | None, datalist: Folder | None, excluded: Sequence[str], modalities: Sequence[str]
) -> Found:
    try:
        records, problems = scan_cohort(dataset_dir, datalist, excluded, need_seg=False, modalities=modalities)
    except DatasetError as error:
        return [], list(error.problems)
    # Only BraTS is known to be stripped: whoever lists volumes of his own may have put masks beside them.
    listed, wrong = _with_masks(records, modalities) if datalist else (records, [])
    broken = find_mask_problems(listed, modalities)
    sound = [record for record in listed if scan_of(record) not in broken]
    return sound, [*problems, *wrong, *broken.values()]


def _healthy(folder: Folder, excluded: Sequence[str], modalities: Sequence[str]) -> Found:
    try:
        records, problems = scan_ixi(folder, excluded, modalities)
    except DatasetError as error:
        return [], list(error.problems)
    if not records and not problems:
        return [], [Problem("nobody is left", Path(folder), "Exclude fewer people, or leave --healthy_dir out.")]
    records, misnamed = soundly_named(records)
    sound, wrong = _check_files(records, modalities)
    return sound, [*problems, *misnamed, *wrong]


def _check_files(records: list[Record], modalities: Sequence[str]) -> Found:
    headers = find_header_problems(records, modalities)
    readable = [record for record in records if scan_of(record) not in headers]
    masks = find_mask_problems(readable, modalities)
    problems = [problem for wrong in headers.values() for problem in wrong]
    return [record for record in readable if scan_of(record) not in masks], [*problems, *masks.values()]


def _with_masks(records: Iterable[Record], modalities: Sequence[str]) -> Found:
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


def _one_person(given: Mapping[str, Any], modalities: Sequence[str]) -> list[Record]:
    about: Record = {"mask_values": list(BRATS_MASK_VALUES), "grade": None}
    record: Record = {
        **about,
        **one_patient({key: value for key, value in given.items() if key != "brain_mask"}, modalities),
    }
    absent = [name for name in modalities if name not in given and "image" not in given]
    if absent:
        hint = f"Give a file for each of {', '.join(modalities)}."
        raise KnobError(Problem(f"the patient has no {', '.join(absent)}", f"--{absent[0]}", hint))
    if "subject" not in given:
        first = next(str(given[name]) for name in ("image", *modalities) if name in given)
        record["subject"] = name_of_file(first) or record["subject"]
    if "brain_mask" in given:
        return [{**record, "brain_mask": str(given["brain_mask"])}]
    records, problems = _with_masks([record], modalities)
    if problems:
        raise DatasetError(problems)
    return records
