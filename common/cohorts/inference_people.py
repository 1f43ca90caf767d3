"""Whom to apply a network of whole volumes to: folders, a list, or the files of one person."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.cohorts.datasets.data_set import Wanted
from common.cohorts.datasets.ixi import name_of_file
from common.cohorts.inference_patients import one_patient
from common.cohorts.kinds.people import add_masks_beside, check_people
from common.cohorts.reading import read_cohort
from common.command_line import with_typed_subject
from common.errors import DatasetError, KnobError, Problem
from common.records import BRATS_MASK_VALUES, Record, check_modalities

Folder = str | os.PathLike[str]


def read_volume_cohort(
    dataset_dir: Folder | None = None,
    healthy_dir: Folder | None = None,
    datalist: Folder | None = None,
    exclude: str | Iterable[str] | None = None,
    modalities: Sequence[str] = ("t1ce",),
    need_label: bool = True,
    volumes: Mapping[str, Any] | None = None,
) -> list[Record]:
    """:func:`~common.cohorts.read_cohort` of people, or one person's files named one by one.

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
        One record per person or scan, sorted by name within each data set: ``subject``, ``scan`` where there is one,
        ``source``, the path of each of ``modalities``, ``grade`` (``LGG``, ``HGG``, ``healthy`` or ``None``),
        ``brain_mask`` where there is one, ``seg`` and ``mask_values`` where there is a mask of the tumour.

    Raises:
        DatasetError: with all that is wrong with the folders, the list and the files.
        KnobError: nothing to read is given, or too much, an excluded person is not there, or there is no such modality.
    """
    check_modalities(modalities)
    given = {key: value for key, value in with_typed_subject(volumes).items() if value}
    if not given.keys() - {"subject"}:
        return read_cohort(
            dataset_dir,
            datalist,
            exclude,
            kind="people",
            healthy_dir=healthy_dir,
            modalities=modalities,
            need_label=need_label,
        )
    if dataset_dir or healthy_dir or datalist:
        hint = "Give folders, a list, or one patient's files."
        raise KnobError(Problem("files and a folder or list were given", "--dataset_dir", hint))
    records, problems = check_people(_one_person(given, modalities), Wanted(modalities=modalities))
    if problems:
        raise DatasetError(problems)
    return records


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
    records, problems = add_masks_beside([record], modalities)
    if problems:
        raise DatasetError(problems)
    return records
