"""The headers of a study's images, and the part of them that results made from these images must repeat.

A DICOM object that is derived from images belongs to the same patient and study, so it carries the Patient and General
Study modules. The elements of these that the standard requires (types 1 and 2) are copied, and those that say where the
images lie. All else stays behind: descriptions, comments, institutions, other names, private elements.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.errors import DatasetError, Problem
from common.formats.dicom.files import is_dicom, read_slice_header
from common.studies.quiet import quiet

if TYPE_CHECKING:
    from pydicom import Dataset

PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex")
STUDY = ("StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName")
REFERENCE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID")
PLACE = (
    "Rows",
    "Columns",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
)
LENGTHS = ("SliceThickness", "SpacingBetweenSlices")
"""Left empty where they are not a length."""

UTF_8 = "ISO_IR 192"
"""In which the texts of results are written: highdicom refuses some of DICOM's other sets, such as those of Japan."""


def _is_date(text: str) -> bool:
    try:
        return len(text) == 8 and bool(datetime.strptime(text, "%Y%m%d"))
    except ValueError:
        return False


WELL_FORMED: dict[str, Callable[[str], Any]] = {
    "PatientBirthDate": _is_date,
    "StudyDate": _is_date,
    "StudyTime": re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?").fullmatch,
    "PatientSex": re.compile(r"[MFO]").fullmatch,
    "PatientID": re.compile(r".{0,64}").fullmatch,
    "AccessionNumber": re.compile(r".{0,16}").fullmatch,
    "StudyID": re.compile(r".{0,16}").fullmatch,
}
"""Elements that are left empty where a header does not keep to their format."""


def read_headers(folder: str | Path) -> list[Dataset]:
    """The headers of all DICOM images in a folder and in its subfolders; links are followed.

    Reports, segmentations and files of other kinds are left out.

    Returns:
        Without pixels; ``filename`` is the file's path.

    Raises:
        DatasetError: there is no such folder, it holds no DICOM image, or files cannot be read; all of these at once.
    """
    folder = Path(folder)
    hint = "Pass the folder of one study."
    if not folder.is_dir():
        what = "it is a file, not a folder" if folder.exists() else "there is no such folder"
        raise DatasetError(Problem(what, str(folder), hint))
    headers: list[Dataset] = []
    problems: list[Problem] = []
    for path in sorted(_walk(folder)):
        try:
            header = _read(path) if is_dicom(path) else None
            if header is not None and _is_image(header):
                headers.append(header)
            elif header is not None:
                read_slice_header(path)  # raises where an image was cut off within its header
        except DatasetError as error:
            problems += error.problems
        except Exception as error:  # what pydicom raises quotes the file, so its words are left out
            what = "it cannot be read" if isinstance(error, OSError) else "it is not a sound DICOM file"
            problems.append(Problem(what, str(path), "Copy the file again, or remove it."))
    if problems:
        raise DatasetError(problems)
    if not headers:
        raise DatasetError(Problem("it holds no DICOM image", str(folder), hint))
    return headers


def _walk(folder: Path) -> Iterator[Path]:
    """The files of each folder once, whatever links lead to it."""
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        if (real := os.path.realpath(place)) in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (path for name in names if name[0] != "." and (path := Path(place, name)).is_file())


def needed_header(header: Dataset) -> Dataset:
    """The part of an image's header that a result made from it must repeat.

    Elements that the standard requires and the header lacks, or that are not well-formed, are empty.
    """
    from pydicom import Dataset
    from pydicom.multival import MultiValue

    needed = Dataset()
    needed.SpecificCharacterSet = UTF_8
    with quiet():
        for keyword in (*REFERENCE, *PLACE):
            if keyword in header:
                needed[keyword] = header[keyword]
        for keyword in LENGTHS:
            setattr(needed, keyword, header[keyword].value if _is_length(header.get(keyword)) else None)
        for keyword in (*PATIENT, *STUDY):
            value = header.get(keyword) or ""
            text = "" if isinstance(value, MultiValue) else str(value)
            fits = WELL_FORMED.get(keyword, bool)
            setattr(needed, keyword, text if fits(text) else "")
    return needed


def _is_length(value: Any) -> bool:
    try:
        return 0 < float(value) < math.inf
    except (TypeError, ValueError):
        return False


def _read(path: Path) -> Dataset:
    import pydicom

    with quiet():
        return pydicom.dcmread(path, stop_before_pixels=True)


def _is_image(header: Dataset) -> bool:
    return "Rows" in header and header.get("Modality") != "SEG" and "SeriesInstanceUID" in header
