"""Reading one DICOM file with ITK (GDCM): its geometry and its pixels, and nothing else.

GDCM decodes JPEG, JPEG 2000, JPEG-LS and RLE, applies rescale slope and intercept, and inverts MONOCHROME1, so that
larger is always brighter. Only the fields of :class:`SliceHeader` are read from a header: no name, date or number of a
person can reach a message, a log or a record. The texts of ITK's errors are dropped for the same reason.
"""

from __future__ import annotations

import math
import re
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import DatasetError, Problem
from common.formats.dicom.jpeg_warnings import hearing_libjpeg, is_jpeg
from common.formats.dicom.pixels import META_BYTES, holds_all_pixels, without_padding
from common.formats.limits import endless, fitting_memory, plane_too_large

SERIES_UID = "0020|000e"
INSTANCE_UID = "0008|0018"
POSITION = "0020|0032"
ORIENTATION = "0020|0037"
DESCRIPTION = "0008|103e"
PIXEL_SPACING = "0028|0030"
LAYOUT = ("0028|0010", "0028|0011", "0028|0002", "0028|0100")
"""Rows, columns, samples of a pixel, and bits of a sample."""

PHOTOMETRY = "0028|0004"
BITS_STORED = "0028|0101"
MOST_BITS = 64
SIGNED = "0028|0103"
PADDING = "0028|0120"
PADDING_LIMIT = "0028|0121"

MAGIC = b"DICM"
MAGIC_AT = 128
OLD_STYLE = (b"\x08\x00", b"\x02\x00")
"""How a file without the preamble begins: with the group number of its first element."""

ROWS = (b"\x28\x00\x10\x00", b"\x00\x28\x00\x10")
"""How the element begins that only images have, in either byte order."""

IMAGE_CLASS = re.compile(
    rb"\x02\x00\x02\x00UI..1\.2\.840\.10008\.5\.1\.4\.1\.1\.(2|4|7|20|128)(\.[134])?[\0\x02]", re.DOTALL
)
"""In the first part of a file, which is never compressed: an image of CT, MR, NM or PET, or a secondary capture."""

LEAST_BYTES = 1024
ROUNDING = 0.01
"""Mm, and share of a direction's length: GDCM makes directions unit vectors."""

LOADING = Lock()
"""ITK's parts are loaded at their first use, by one thread at a time."""


@dataclass(frozen=True)
class SliceHeader:
    """Where a slice lies.

    Args:
        path: the file.
        series: the id of its series, used only to separate series.
        instance: the id of the image, to find copies.
        size: (columns, rows, frames).
        channels: 1, or 3 for colour.
        origin: (3,) centre of the first pixel in mm, LPS; ``None`` where the file does not say.
        along_row: (3,) direction in which the column index grows.
        along_column: (3,) direction in which the row index grows.
        spacing: mm between columns, between rows, and the slice's own thickness or distance.
        has_spacing: whether the file tells the size of its pixels; else 1 mm stands in ``spacing``.
    """

    path: str
    series: str
    instance: str
    size: tuple[int, int, int]
    channels: int
    origin: tuple[float, ...] | None
    along_row: tuple[float, ...]
    along_column: tuple[float, ...]
    spacing: tuple[float, float, float]
    has_spacing: bool = True

    @property
    def normal(self) -> NDArray[np.float64]:
        """(3,) perpendicular to the slice."""
        return np.cross(self.along_row, self.along_column)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do, or is named ``.dcm`` and too short to know.

    Raises:
        OSError: it cannot be read.
    """
    if endless(path):
        return False
    with path.open("rb") as file:
        start = file.read(MAGIC_AT + len(MAGIC))
    if start[MAGIC_AT:] == MAGIC:
        return True
    return path.suffix.lower() == ".dcm" and (start[:2] in OLD_STYLE or len(start) < MAGIC_AT + len(MAGIC))


def read_slice_header(path: str | Path) -> SliceHeader | None:
    """The geometry of a DICOM file; ``None`` where it holds no image (a report, a directory).

    Raises:
        DatasetError: the file is truncated, damaged, too large, or compressed in a way that GDCM does not know.
    """
    reader = _new_reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        if _is_meant_as_image(path):
            raise DatasetError(_damaged(path)) from None
        return None
    tags = reader.GetMetaDataDictionary()
    if too_large := plane_too_large([reader.GetDimensions(axis) for axis in range(2)], path):
        raise DatasetError(too_large)
    told = _numbers(tags, PIXEL_SPACING, 2)  # GDCM takes 1 mm where it is 0, and in some classes of images
    told = told if told and min(told) > 0 else None
    down, across = told or (float(reader.GetSpacing(1)), float(reader.GetSpacing(0)))
    size = [int(reader.GetDimensions(axis)) for axis in range(reader.GetNumberOfDimensions())] + [1]
    origin = tuple(float(reader.GetOrigin(axis)) for axis in range(3))
    along_row, along_column = (tuple(map(float, reader.GetDirection(axis))) for axis in range(2))
    has_place = _is_told(tags, POSITION, origin) and _is_told(tags, ORIENTATION, (*along_row, *along_column))
    return SliceHeader(
        path=str(path),
        series=_text(tags, SERIES_UID),
        instance=_text(tags, INSTANCE_UID),
        size=(size[0], size[1], size[2]),
        channels=int(reader.GetNumberOfComponents()),
        origin=origin if has_place else None,
        along_row=along_row,
        along_column=along_column,
        spacing=(across, down, float(reader.GetSpacing(2))),
        has_spacing=told is not None or size[2] > 1,
    )


def read_slice_pixels(path: str | Path) -> NDArray[np.float32]:
    """Read the pixels of a file with one frame as float32 (y, x), rescaled; padding becomes the darkest of the others.

    Raises:
        DatasetError: as in :func:`read_slice_header`, or pixels are lacking, or do not fit into the memory.
    """
    with fitting_memory(path):
        return _read_slice_pixels(path)


def _read_slice_pixels(path: str | Path) -> NDArray[np.float32]:
    itk, image_type = _load_itk()
    reader, source = itk.ImageFileReader[image_type].New(FileName=str(path)), _new_reader(path)
    reader.SetImageIO(source)
    data = _decode(reader, path)
    tags = source.GetMetaDataDictionary()
    expected = int(math.prod(_number(tags, key, path) for key in LAYOUT if _text(tags, key))) // 8
    if not holds_all_pixels(data, expected):
        what = f"it ends before its last pixel (of {expected} bytes)"
        raise DatasetError(Problem(what, str(path), "Download or copy the file again."))
    pixels = itk.array_from_image(reader.GetOutput())
    if not np.isfinite(pixels).all():
        what = "its pixels are not finite once they are rescaled: its rescale slope or intercept is damaged"
        raise DatasetError(Problem(what, str(path), "Export the series again."))
    if not (padding := _numbers(tags, PADDING, 1)):
        return pixels
    ends = [_rescaled(tags, value, source, path) for value in (*padding, *(_numbers(tags, PADDING_LIMIT, 1) or ()))]
    return without_padding(pixels, ends[0], ends[-1])


def _decode(reader: Any, path: str | Path) -> bytes:
    """Let a reader of ITK's decode a file; returns the file's bytes.

    Raises:
        DatasetError: the pixels are damaged.
    """
    try:
        data = Path(path).read_bytes()
        hearing: AbstractContextManager[list[str]] = hearing_libjpeg() if is_jpeg(data) else nullcontext([])
        with hearing as warned:
            reader.Update()
    except (OSError, RuntimeError) as error:
        if "alloc" in str(error):  # std::bad_alloc, or ITK's words for it
            raise MemoryError from None
        raise DatasetError(_damaged(path)) from None
    if warned:
        raise DatasetError(_damaged(path))
    return data


def read_mark(path: str | Path, mark: str) -> bool:
    """Whether a file's series is described by ``mark``, as phantoms are."""
    reader = _new_reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return False
    return _text(reader.GetMetaDataDictionary(), DESCRIPTION) == mark


def _is_told(tags: Any, key: str, read: tuple[float, ...]) -> bool:
    """Whether GDCM read an element's numbers; it puts a default in the place of what is empty or makes no sense."""
    told = _numbers(tags, key, len(read))
    return told is not None and bool(np.allclose(told, read, rtol=ROUNDING, atol=ROUNDING))


def _numbers(tags: Any, key: str, count: int) -> tuple[float, ...] | None:
    """The finite numbers of an element; ``None`` where it is absent, empty or holds anything else than ``count``."""
    try:
        numbers = tuple(float(number) for number in _text(tags, key).split("\\"))
    except ValueError:
        return None
    return numbers if len(numbers) == count and all(map(math.isfinite, numbers)) else None


def _number(tags: Any, key: str, path: str | Path, most: int = 2**16) -> float:
    """The one number that an element must hold."""
    if (numbers := _numbers(tags, key, 1)) is None or numbers[0] > most:
        raise DatasetError(_damaged(path))
    return numbers[0]


def _rescaled(tags: Any, value: float, source: Any, path: str | Path) -> float:
    """A stored value as it stands among the pixels that are read: inverted in MONOCHROME1, then rescaled."""
    if _text(tags, PHOTOMETRY) == "MONOCHROME1":
        brightest = -1 if _text(tags, SIGNED) == "1" else 2 ** _number(tags, BITS_STORED, path, MOST_BITS) - 1
        value = brightest - value
    return float(value * source.GetRescaleSlope() + source.GetRescaleIntercept())


def _load_itk() -> tuple[Any, Any]:
    """ITK and its type of a slice. Its part for DICOM takes seconds to load, so it is loaded only here."""
    with LOADING:
        import itk

        itk.ProcessObject.SetGlobalWarningDisplay(False)  # its warnings quote headers
        return itk, itk.Image[itk.F, 2]


def _new_reader(path: str | Path) -> Any:
    itk, _ = _load_itk()
    reader = itk.GDCMImageIO.New()
    reader.SetFileName(str(path))
    reader.LoadPrivateTagsOff()
    return reader


def _text(tags: Any, key: str) -> str:
    return str(tags[key]).strip("\0 ") if tags.HasKey(key) else ""


def _is_meant_as_image(path: str | Path) -> bool:
    """Whether a file that GDCM refuses should hold an image: it says so, has the element Rows, or ends in its header.

    None of this is true of reports, directories and the like, which lie beside many series.
    """
    data = Path(path).read_bytes()
    is_told = IMAGE_CLASS.search(data, 0, META_BYTES) is not None
    return is_told or any(start in data for start in ROWS) or len(data) < LEAST_BYTES


def _damaged(path: str | Path) -> Problem:
    what = "the DICOM file is truncated, damaged, or compressed in a way that cannot be read"
    return Problem(what, str(path), "Download or copy the file again, or convert it to an uncompressed one.")
