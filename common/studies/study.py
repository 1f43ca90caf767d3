"""The series of a DICOM study that a bundle reads, chosen by rules and checked to fit together.

A folder is refused unless it holds one study of one patient, each modality is one series, and all of these lie in one
frame of reference and on one grid. Messages name a series by its number, since a description may hold a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from common.cohorts.checks import AFFINE_TOLERANCE
from common.errors import DatasetError, Problem
from common.formats.dicom import DicomSeries, order_files
from common.studies.headers import needed_header, read_headers
from common.studies.quiet import quiet
from common.studies.rules import SeriesRule

if TYPE_CHECKING:
    from pydicom import Dataset

ONE_STUDY = "Pass a folder that holds one study of one patient."
PREPARE = "Co-register the series of the study to each other first, with a tool for that, and write them as DICOM."
EDIT_RULES = "Edit the rule file so that exactly one series fits, or leave the others out of the folder."


@dataclass(frozen=True)
class StudySeries:
    """A series of a study.

    Args:
        modality: which one it is by the rules.
        slices: its files in order, and where they lie.
        headers: the needed part of each file's header, in the same order.
    """

    modality: str
    slices: DicomSeries
    headers: tuple[Dataset, ...]


@dataclass(frozen=True)
class Study:
    """The chosen series of one patient's study.

    Args:
        series: in the order in which they were asked for.
        age: of the patient at the study, in years; ``None`` where the header does not say.
    """

    series: tuple[StudySeries, ...]
    age: float | None


def read_study(
    folder: str | Path, rules: Iterable[SeriesRule], modalities: Sequence[str], *, need_regular: bool = True
) -> Study:
    """Choose and check the series of a study.

    Args:
        folder: with the study's files, perhaps in subfolders.
        rules: which series is which modality.
        modalities: those that are needed.
        need_regular: whether slices that are missing or unevenly spaced are a problem; they are not where slices are
            read one by one.

    Returns:
        The study with one series for each of ``modalities``.

    Raises:
        DatasetError: everything that keeps the study from being used, in one error.
    """
    headers = read_headers(folder)
    problems = _find_mixture(headers, str(folder))
    if problems:
        raise DatasetError(problems)
    chosen = _choose(headers, rules, modalities, str(folder))
    found: list[StudySeries] = []
    for modality, images in chosen.items():
        try:
            found.append(_in_order(modality, images, need_regular))
        except DatasetError as error:
            problems += [Problem(problem.what, problem.where, EDIT_RULES) for problem in error.problems]
    if not problems:
        problems = _find_displaced(found, str(folder))
    if problems:
        raise DatasetError(problems)
    return Study(tuple(found), _age(headers[0]))


def _age(header: Dataset) -> float | None:
    """Years, as the header tells them, or from the dates of birth and of the study."""
    with quiet():
        told = re.fullmatch(r"(\d{3})Y", str(header.get("PatientAge", "")))
        dates = [str(header.get(keyword, "")) for keyword in ("PatientBirthDate", "StudyDate")]
    if told:
        return float(told[1])
    try:
        born, seen = (datetime.strptime(date, "%Y%m%d") for date in dates)
    except ValueError:
        return None
    return round((seen - born).days / 365.25, 1)


def _find_mixture(headers: Sequence[Dataset], folder: str) -> list[Problem]:
    with quiet():
        patients = {_person(header) for header in headers}
        studies = {str(header.get("StudyInstanceUID", "")) for header in headers}
    if len(patients) > 1:
        return [Problem(f"it holds images of {len(patients)} patients", folder, ONE_STUDY)]
    if len(studies) > 1:
        return [Problem(f"it holds {len(studies)} studies of the patient", folder, ONE_STUDY)]
    return []


def _person(header: Dataset) -> tuple[str, str, str]:
    name = " ".join(str(header.get("PatientName", "")).replace("^", " ").casefold().split())
    return str(header.get("PatientID", "")).strip(), name, str(header.get("PatientBirthDate", ""))


def _choose(
    headers: Sequence[Dataset], rules: Iterable[SeriesRule], modalities: Sequence[str], folder: str
) -> dict[str, list[Dataset]]:
    """The images of each modality's series."""
    series: dict[str, list[Dataset]] = {}
    for header in headers:
        series.setdefault(str(header.SeriesInstanceUID), []).append(header)
    matches: dict[str, list[str]] = {name: [] for name in modalities}
    for rule in rules:
        if rule.name in matches:
            fitting = [uid for uid, images in series.items() if rule.fits(images[0])]
            matches[rule.name] += [uid for uid in fitting if uid not in matches[rule.name]]
    problems = []
    for name, uids in matches.items():
        if not uids:
            problems.append(Problem(f"none of its {len(series)} series is {name} by the rules", folder, EDIT_RULES))
        if len(uids) > 1:
            listed = " and ".join(_name(series[uid]) for uid in uids)
            problems.append(Problem(f"{len(uids)} of its series are {name} by the rules: {listed}", folder, EDIT_RULES))
    problems += _find_shared(matches, series, folder)
    if problems:
        raise DatasetError(problems)
    return {name: series[uids[0]] for name, uids in matches.items()}


def _find_shared(
    matches: Mapping[str, Sequence[str]], series: Mapping[str, Sequence[Dataset]], folder: str
) -> list[Problem]:
    """Series that are several modalities."""
    names: dict[str, list[str]] = {}
    for name, uids in matches.items():
        for uid in uids:
            names.setdefault(uid, []).append(name)
    return [
        Problem(f"{_name(series[uid])} is {' and '.join(shared)} by the rules", folder, EDIT_RULES)
        for uid, shared in names.items()
        if len(shared) > 1
    ]


def _in_order(modality: str, images: Sequence[Dataset], need_regular: bool) -> StudySeries:
    by_file = {str(image.filename): image for image in images}
    slices = order_files(by_file, f"{_name(images)} ({modality})", need_regular=need_regular)
    return StudySeries(modality, slices, tuple(needed_header(by_file[file]) for file in slices.files))


def _find_displaced(series: Sequence[StudySeries], folder: str) -> list[Problem]:
    first, *others = series
    problems = []
    frames = {str(one.headers[0].get("FrameOfReferenceUID", "")) for one in series}
    if len(frames) > 1 or (others and "" in frames):
        what = "its series do not share a frame of reference, so they are not known to be co-registered"
        problems.append(Problem(what, folder, PREPARE))
    for other in others:
        if (difference := _grid_difference(first.slices, other.slices)) is not None:
            what = f"{other.modality} is on another grid than {first.modality} ({difference})"
            problems.append(Problem(what, folder, PREPARE))
    return problems


def _grid_difference(one: DicomSeries, other: DicomSeries) -> str | None:
    shapes = [(*slices.size, len(slices.files)) for slices in (one, other)]
    if shapes[0] != shapes[1]:
        return " and ".join(" x ".join(map(str, shape)) for shape in shapes) + " voxels"
    if not np.allclose(one.affine, other.affine, rtol=0, atol=AFFINE_TOLERANCE):
        return "another position, orientation or voxel size"
    return None


def _name(images: Sequence[Dataset]) -> str:
    """A series by its number, which is nobody's name."""
    with quiet():
        number = str(images[0].get("SeriesNumber", ""))
    return f"series {number}" if number.isdecimal() else f"a series of {len(images)} images without a number"
