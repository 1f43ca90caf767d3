"""The cohort of scans with a known MGMT status that a run works on, as its knobs say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from common.cohorts.datalist import scan_datalist
from common.cohorts.datasets.rsna_miccai import scan_rsna_miccai
from common.cohorts.exclusion import split_names
from common.command_line import as_typed, with_typed_subject
from common.errors import DatasetError, KnobError, Problem
from common.names import name_problems, soundly_named, warn_of_similar_names
from common.records import MODALITIES, Record, check_modalities


def read_series_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_label: bool = True,
    modalities: Sequence[str] = MODALITIES,
    need_all: bool = True,
    folders: Mapping[str, Any] | None = None,
) -> list[Record]:
    """Read the patients of a run.

    Args:
        dataset_dir: RSNA-MICCAI as downloaded, or the folder of one of its patients.
        datalist: a JSON or CSV list that replaces the folder: ``subject``, the folder of a series under each modality,
            and ``mgmt`` (or ``MGMT_value``).
        exclude: subjects to leave out, as a list or comma-separated.
        need_label: whether a patient without a label is a problem.
        modalities: the series that every patient must have.
        need_all: whether a patient without one of the modalities is a problem.
        folders: for one patient, the folder of a series by modality; ``subject`` names the patient, otherwise the
            first folder does.

    Returns:
        A record a patient, sorted by subject; see :func:`~common.cohorts.datasets.rsna_miccai.read_rsna_miccai`.

    Raises:
        DatasetError: with all that is wrong with the folder or the list.
        KnobError: none or several of the three are given, an excluded patient is not there, or a modality is none.
    """
    check_modalities(modalities)
    given = {key: value for key, value in with_typed_subject(folders).items() if value}
    if given.keys() - {"subject"}:
        if dataset_dir or datalist:
            hint = "Give a folder, a list, or one patient's series."
            raise KnobError(Problem("series and a folder or list were given", "--dataset_dir", hint))
        return [_one_patient(given, modalities)]
    records, problems = scan_series_cohort(dataset_dir, datalist, exclude, need_label, modalities, need_all)
    if problems:
        raise DatasetError(problems)
    warn_of_similar_names(records)
    return records


def scan_series_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_label: bool = True,
    modalities: Sequence[str] = MODALITIES,
    need_all: bool = True,
) -> tuple[list[Record], list[Problem]]:
    """Like :func:`read_series_cohort`, but return the sound patients and all problems of the others.

    Raises:
        DatasetError: there is no patient to look at.
        KnobError: as in :func:`read_series_cohort`.
    """
    check_modalities(modalities)
    excluded = split_names(as_typed("exclude", exclude))
    if datalist:
        listed, problems = scan_datalist(datalist, False, modalities, excluded, need_all, folders=True)
        records: list[Record] = [
            {**record, "mgmt": record.get("mgmt"), "label": record.get("mgmt")} for record in listed
        ]
        if need_label:
            problems += [_unlabelled(record, datalist) for record in records if record["label"] is None]
            records = [record for record in records if record["label"] is not None]
    elif dataset_dir:
        found, problems = scan_rsna_miccai(dataset_dir, excluded, need_label, modalities, need_all)
        records, misnamed = soundly_named(found)
        problems = [*problems, *misnamed]
    else:
        hint = "Pass --dataset_dir <RSNA-MICCAI as downloaded>, or --datalist <a JSON or CSV file>."
        raise KnobError(Problem("no data set is given", "--dataset_dir", hint))
    if not records and not problems:
        raise DatasetError(Problem("no patient is left", str(datalist or dataset_dir), "Exclude fewer patients."))
    return records, problems


def _unlabelled(record: Record, datalist: str | os.PathLike[str]) -> Problem:
    hint = "Add mgmt (1 methylated, 0 not) to the entry, or leave the patient out with --exclude."
    return Problem(f"{record['subject']} has no mgmt", str(datalist), hint)


def _one_patient(given: Mapping[str, Any], modalities: Sequence[str]) -> Record:
    unknown = given.keys() - {"subject", *modalities}
    if unknown:
        hint = f"Give {', '.join(modalities)}."
        raise KnobError(Problem(f"{', '.join(sorted(unknown))} is no modality of this network", "inference", hint))
    folders = {key: str(Path(str(value)).expanduser().absolute()) for key, value in given.items() if key != "subject"}
    first = Path(next(iter(folders.values())))
    subject = str(given.get("subject") or first.name)
    wrong = name_problems({"subject": subject}, "--subject" if given.get("subject") else first)
    if wrong:
        raise KnobError(wrong)
    return cast(Record, {"subject": subject, "source": "files", **folders, "mgmt": None, "label": None})
