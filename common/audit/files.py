"""Whether the files of a split are there, and of a kind that can be read."""

from __future__ import annotations

from pathlib import Path

from common.audit.split import Split
from common.errors import DatasetError, Problem
from common.formats.folders import SUFFIXES as NIFTI
from common.formats.images import is_image_name

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
        raise DatasetError(problems)
