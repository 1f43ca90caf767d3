"""Whom to apply a network to: a folder, a list, or the files of one patient."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from common.cohorts.brains.orientations import warn_of_orientations
from common.cohorts.datasets.siblings import named_by_file
from common.cohorts.features import FEATURES, parse_given
from common.cohorts.reading import read_cohort
from common.command_line import with_typed_subject
from common.errors import KnobError, OutputError, Problem
from common.files import read_json, write_json
from common.knobs import as_bool
from common.locks import hold
from common.names import name_problems
from common.records import MODALITIES, Record, scan_of, value_of, without_key

PREDICTIONS, VOLUMES, WEIGHTS = "predictions.csv", "volumes.csv", "weights.json"
IDENTITY_AND_FILES = ("subject", "scan", "image", *MODALITIES, "brain_mask", "seg")


def read_patients(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    files: Mapping[str, Any] | None = None,
    exclude: str | Iterable[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    missing_modality: str = "error",
    clinical: Mapping[str, Any] | None = None,
) -> list[Record]:
    """The patients of an inference, with or without masks; with masks alone where no modality is wanted.

    Args:
        dataset_dir: a BraTS folder, or the folder of one of its patients.
        datalist: a JSON or CSV list of one's own.
        files: one patient's files under ``image`` or the modalities, ``None`` for those not given; ``subject`` names
            the patient, otherwise the first file's name does.
        exclude: patients to leave out.
        modalities: that the network wants.
        missing_modality: ``error``, or ``zero`` to accept patients without some of them.
        clinical: ``age`` in years and ``resection`` (GTR or STR) of one patient, ``None`` for what is not known.

    Raises:
        KnobError: none or several of the three were given, ``missing_modality`` is neither word, or the clinical
            values mean nothing, contradict a table or are given for several patients.
        DatasetError: everything that is wrong with the files.
    """
    if missing_modality not in ("error", "zero"):
        hint = "Say error, or zero to go on without an absent modality."
        raise KnobError(Problem(f"{missing_modality!r} is no choice", "--missing_modality", hint))
    values = parse_given(clinical)
    given = {key: value for key, value in with_typed_subject(files).items() if value}
    if given.keys() - {"subject"}:
        if dataset_dir or datalist:
            hint = "Give a folder, a list, or one patient's files."
            raise KnobError(Problem("files and a folder or list were given", "--dataset_dir", hint))
        patient = one_patient(given, modalities)
        warn_of_orientations([patient], modalities)
        return _with_values([patient], values)
    need_all = missing_modality == "error"
    need_seg = not modalities
    records = read_cohort(dataset_dir, datalist, exclude, need_seg=need_seg, modalities=modalities, need_all=need_all)
    return _with_values(records, values)


def still_to_do(
    records: Sequence[Record],
    output_dir: str | os.PathLike[str],
    resume: bool | str = False,
    overwrite: bool | str = False,
    weights: str | None = None,
) -> list[Record]:
    """The patients to segment, before any time is spent on them: subject, scan, images and the masks' convention.

    Args:
        records: the patients.
        output_dir: where results go, as ``<scan>_seg.nii.gz`` (``<subject>_seg.nii.gz`` without a scan).
        resume: leave out the patients who have a result there, and a row in ``volumes.csv``, which is written last.
        overwrite: replace what is there.
        weights: what knows them, as their hash; rows that stay must be of the same.

    Raises:
        OutputError: results are there, and neither word was said; rows that stay were made with other weights; or
            another process is writing there.
    """
    resume, overwrite = as_bool(resume, "resume"), as_bool(overwrite, "overwrite")
    hold(output_dir, output_dir)
    existing = {scan_of(record) for record in records if (Path(output_dir) / f"{scan_of(record)}_seg.nii.gz").exists()}
    if existing and not resume and not overwrite:
        hint = "Pass --resume true to do the others only, --overwrite true to replace them, or another --output_dir."
        raise OutputError(Problem(f"results of {len(existing)} patients are there already", str(output_dir), hint))
    table = Path(output_dir) / VOLUMES
    done = existing & _names_in(table) if table.exists() and not overwrite else set()
    _check_weights(table, records, overwrite, weights)
    todo = [record for record in records if scan_of(record) not in done]
    keys = ("subject", "scan", "image", *MODALITIES, "mask_values")
    return [cast(Record, {key: value_of(record, key) for key in keys if record.get(key)}) for record in todo]


def not_yet_predicted(
    records: Sequence[Record],
    output_dir: str | os.PathLike[str],
    resume: bool | str = False,
    overwrite: bool | str = False,
    weights: str | None = None,
) -> list[Record]:
    """The patients to classify, before any time is spent on them: subject, scan, files, age and resection.

    Args:
        records: the patients.
        output_dir: where results go, a row each in ``predictions.csv``.
        resume: leave out the patients who have a row there.
        overwrite: replace what is there.
        weights: what knows them, as their hash; rows that stay must be of the same.

    Returns:
        For each patient ``subject``, ``scan`` where the record has one, the paths of the images, ``brain_mask``
        where there is one, ``seg`` and ``mask_values`` where there is a mask of the tumour, and ``age`` and
        ``resection``, ``None`` where they are not known.

    Raises:
        OutputError: results are there and neither word was said, the table there is another program's, rows that stay
            were made with other weights, or another process is writing there.
    """
    resume, overwrite = as_bool(resume, "resume"), as_bool(overwrite, "overwrite")
    hold(output_dir, output_dir)
    table = Path(output_dir) / PREDICTIONS
    predicted = _names_in(table) if table.exists() and not overwrite else set()
    existing = {name for name in map(scan_of, records) if name in predicted}
    if existing and not resume:
        hint = "Pass --resume true to do the others only, --overwrite true to replace them, or another --output_dir."
        raise OutputError(Problem(f"predictions of {len(existing)} patients are there already", str(table), hint))
    _check_weights(table, records, overwrite, weights)
    return [_to_classify(record) for record in records if scan_of(record) not in existing]


def _check_weights(table: Path, records: Sequence[Record], overwrite: bool, weights: str | None) -> None:
    """Refuse to keep rows that other weights made; record which weights make the table.

    An earlier version recorded none: its rows are kept, and nothing is said of them.
    """
    path = table.with_name(WEIGHTS)
    known = read_json(path).get("weights") if path.exists() else None
    if weights in (None, known) or (known is None and table.exists()):
        return
    replaced = set(map(scan_of, records)) if overwrite else set()
    kept = _names_in(table) - replaced if table.exists() else set()
    if kept:
        hint = "Give the weights of before, or another --output_dir."
        raise OutputError(Problem(f"rows of {len(kept)} patients were made with other weights", str(table), hint))
    table.unlink(missing_ok=True)  # whoever resumes an overwriting that was interrupted does the rest
    write_json(path, {"weights": weights})


def _names_in(table: Path) -> set[str]:
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            return {scan_of(row) for row in csv.DictReader(file)}
    except (OSError, UnicodeDecodeError, csv.Error, KeyError) as error:
        hint = "Choose another --output_dir, or --overwrite true to replace it."
        raise OutputError(Problem("is no table of predictions of this suite", str(table), hint)) from error


def _to_classify(record: Record) -> Record:
    files = {key: str(value_of(record, key)) for key in IDENTITY_AND_FILES if record.get(key)}
    stored = {"mask_values": record["mask_values"]} if "seg" in files and record.get("mask_values") else {}
    return cast(Record, {**files, **stored, **{name: record.get(name) for name in FEATURES}})


def _with_values(records: list[Record], values: Mapping[str, Any]) -> list[Record]:
    """The one patient's record with what the command line says of the patient."""
    if not values:
        return records
    knobs = " and ".join(f"--{name}" for name in values)
    if len(records) != 1:
        hint = "Name one patient's files or folder, or give the values of each in the tables or a --datalist."
        raise KnobError(Problem(f"values of one patient, but there are {len(records)} patients", knobs, hint))
    (record,) = records
    contradicted = [name for name, value in values.items() if record.get(name) not in (None, value)]
    if contradicted:
        hint = "Leave it out to take what the table says, or correct the table."
        problems = [
            Problem(f"{values[name]} was given, but the data set says {value_of(record, name)}", f"--{name}", hint)
            for name in contradicted
        ]
        raise KnobError(problems)
    return [{**record, **cast(Record, values)}]


def one_patient(given: Mapping[str, Any], modalities: Sequence[str]) -> Record:
    """The record of a patient whose files were named one by one.

    Args:
        given: files under ``image`` or the modalities, perhaps ``seg`` and ``subject``; without the latter the first
            file's name tells the subject.
        modalities: of the network.

    Raises:
        KnobError: a key is no modality, ``image`` and modalities were given, or files cannot be named by the subject.
    """
    unknown = given.keys() - {"subject", "image", "seg", *modalities}
    if unknown:
        hint = f"Give {', '.join(modalities)}, or image for one file with all of them."
        raise KnobError(Problem(f"{', '.join(sorted(unknown))} is no modality of this network", "inference", hint))
    if "image" in given and given.keys() & set(modalities):
        hint = "Give one file with all channels, or a file a modality."
        raise KnobError(Problem("image and single modalities were given", "--image", hint))
    files = {key: str(value) for key, value in given.items() if key != "subject"}
    named = named_by_file(next(iter(files.values())), modalities)
    if "subject" in given:
        named = {**without_key(named, "scan"), "subject": str(given["subject"])}
    known = {key: value for key, value in named.items() if value}
    wrong = name_problems({"subject": "", **known}, "--subject" if "subject" in given else next(iter(files.values())))
    if wrong:
        raise KnobError(wrong)
    return cast(Record, {**known, "source": "files", **files})
