"""Whether the files of a split are there, and of a kind that can be read; problems of many files in a few lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from common.audit.split import Split
from common.errors import DatasetError, Problem, list_some
from common.formats.folders import SUFFIXES as NIFTI
from common.formats.images import is_image_name

SHOWN = 3
IDS_ONLY = "or compare ids alone with --ids_only."


def is_picture(file: str) -> bool:
    """Whether a file is a picture: what is none is a volume, or the folder of a DICOM series."""
    return is_image_name(Path(file))


def check_files(split: Split) -> None:
    """Refuse a split whose files cannot be compared.

    Raises:
        DatasetError: files do not exist, cases have none, or are in formats that are not read; all of it at once.
    """
    if not any(case.files for case in split.cases.values()):
        hint = f"Name the folder of its images (of nnU-Net imagesTr) with --images, {IDS_ONLY}"
        raise DatasetError(Problem("no image is found for what it lists", split.where, hint))
    problems = []
    for case in split.cases.values():
        if not case.files:
            problems.append(Problem("no image is found for ids", case.name, f"Check --images, {IDS_ONLY}"))
        for file in case.files:
            if not Path(file).exists():
                problems.append(Problem("listed files do not exist", file, f"Check the paths and --images, {IDS_ONLY}"))
            elif not (Path(file).is_dir() or is_picture(file) or file.lower().endswith(NIFTI)):
                hint = f"Convert them to NIfTI or PNG, {IDS_ONLY}"
                problems.append(Problem("files of this format are not read", file, hint))
    if problems:
        raise DatasetError(sum_up(problems))


def sum_up(problems: Iterable[Problem]) -> list[Problem]:
    """One problem for all of a kind, with the first few places."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        kinds.setdefault((problem.what, problem.hint), []).append(str(problem.where))
    return [Problem(what, list_some(places, SHOWN), hint) for (what, hint), places in kinds.items()]
