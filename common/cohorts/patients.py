"""Whom to apply a network to: a folder, a list, or the files of one patient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.loading import read_cohort
from common.cohorts.records import MODALITIES, Record
from common.errors import KnobError, OutputError, Problem

ENDINGS = (".nii.gz", ".nii")


def read_patients(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    files: Mapping[str, Any] | None = None,
    exclude: str | Iterable[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    missing_modality: str = "error",
) -> list[Record]:
    """The patients of an inference, with or without masks.

    Args:
        dataset_dir: a BraTS folder, or the folder of one of its patients.
        datalist: a JSON or CSV list of one's own.
        files: one patient's files under ``image`` or the modalities, ``None`` for those not given; ``subject`` names
            the patient, otherwise the first file's name does.
        exclude: patients to leave out.
        modalities: that the network wants.
        missing_modality: ``error``, or ``zero`` to accept patients without some of them.

    Raises:
        KnobError: none or several of the three were given, or ``missing_modality`` is neither word.
        DatasetError: everything that is wrong with the files.
    """
    if missing_modality not in ("error", "zero"):
        mend = "Say error, or zero to go on without an absent modality."
        raise KnobError(Problem(f"{missing_modality!r} is no choice", "--missing_modality", mend))
    given = {key: value for key, value in (files or {}).items() if value}
    if given.keys() - {"subject"}:
        if dataset_dir or datalist:
            mend = "Give a folder, a list, or one patient's files."
            raise KnobError(Problem("files and a folder or list were given", "--dataset_dir", mend))
        return [_one_patient(given, modalities)]
    return read_cohort(
        dataset_dir, datalist, exclude, need_seg=False, modalities=modalities, need_all=missing_modality == "error"
    )


def still_to_do(
    records: Sequence[Record], output_dir: str | os.PathLike[str], resume: bool = False, overwrite: bool = False
) -> list[dict[str, str]]:
    """Subject and files of the patients to segment, before any time is spent on them.

    Args:
        records: the patients.
        output_dir: where results go, as ``<subject>_seg.nii.gz``.
        resume: leave out the patients who have a result there.
        overwrite: replace what is there.

    Raises:
        OutputError: results are there, and neither word was said.
    """
    existing = {r["subject"] for r in records if (Path(output_dir) / f"{r['subject']}_seg.nii.gz").exists()}
    if existing and not resume and not overwrite:
        mend = "Pass --resume true to do the others only, --overwrite true to replace them, or another --output_dir."
        raise OutputError(Problem(f"results of {len(existing)} patients are there already", str(output_dir), mend))
    keys = ("subject", "image", *MODALITIES)
    todo = records if overwrite else [record for record in records if record["subject"] not in existing]
    return [{key: str(record[key]) for key in keys if record.get(key)} for record in todo]


def _one_patient(given: Mapping[str, Any], modalities: Sequence[str]) -> Record:
    unknown = given.keys() - {"subject", "image", *modalities}
    if unknown:
        mend = f"Give {', '.join(modalities)}, or image for one file with all of them."
        raise KnobError(Problem(f"{', '.join(sorted(unknown))} is no modality of this network", "inference", mend))
    if "image" in given and given.keys() & set(modalities):
        mend = "Give one file with all channels, or a file a modality."
        raise KnobError(Problem("image and single modalities were given", "--image", mend))
    first = Path(str(next(value for key, value in given.items() if key != "subject"))).name
    stem = next((first[: -len(ending)] for ending in ENDINGS if first.endswith(ending)), first)
    stem = next((stem.removesuffix(f"_{name}") for name in modalities if stem.endswith(f"_{name}")), stem)
    return {"source": "files", "subject": stem, **{key: str(value) for key, value in given.items()}}
