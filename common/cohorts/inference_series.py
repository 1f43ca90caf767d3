"""Whom to apply a network of series to: a folder, a list, or the series of one patient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from common.cohorts.reading import read_cohort
from common.command_line import with_typed_subject
from common.errors import KnobError, Problem
from common.files import user_path
from common.names import name_problems
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
    """:func:`~common.cohorts.read_cohort` of series, or one patient's series named one by one.

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
        One record per patient, sorted by subject; see :func:`~common.cohorts.datasets.rsna_miccai.read_rsna_miccai`.

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
    return read_cohort(
        dataset_dir, datalist, exclude, kind="series", need_label=need_label, modalities=modalities, need_all=need_all
    )


def _one_patient(given: Mapping[str, Any], modalities: Sequence[str]) -> Record:
    unknown = given.keys() - {"subject", *modalities}
    if unknown:
        hint = f"Give {', '.join(modalities)}."
        raise KnobError(Problem(f"{', '.join(sorted(unknown))} is no modality of this network", "inference", hint))
    folders = {key: str(user_path(str(value))) for key, value in given.items() if key != "subject"}
    first = Path(next(iter(folders.values())))
    subject = str(given.get("subject") or first.name)
    wrong = name_problems({"subject": subject}, "--subject" if given.get("subject") else first)
    if wrong:
        raise KnobError(wrong)
    return cast(Record, {"subject": subject, "source": "files", **folders, "mgmt": None, "label": None})
