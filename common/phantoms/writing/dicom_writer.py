"""Writing phantoms as DICOM through ITK: MR images of one frame each, with ids that follow from their names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.cohorts.phantom_mark import MARK
from common.files import atomic_path

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
FIRST_DAY = "20000101"
COMPRESSIONS = ("none", "jpeg", "jpeg2000")
"""``jpeg`` and ``jpeg2000`` are the lossless ones."""


def write_slice(
    path: Path,
    pixels: NDArray[np.int16],
    position: Sequence[float],
    spacing: Sequence[float],
    series: str,
    *,
    thickness: float = 1.0,
    orientation: Sequence[float] = AXIAL,
    number: int = 1,
    compression: str = "none",
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a slice.

    Args:
        path: the file.
        pixels: (y, x).
        position: of the first pixel's centre, mm, LPS.
        spacing: mm between columns and between rows.
        series: names the series; its id and the image's are made of this and of ``number``.
        thickness: mm.
        orientation: directions of a row and of a column, LPS.
        number: of the instance in the series.
        compression: one of :data:`COMPRESSIONS`.
        tags: further elements, such as ``{"0010|0010": "a name"}``.
    """
    import itk

    header = itk.MetaDataDictionary()
    for key, value in {**_elements(series, number, thickness), **(tags or {})}.items():
        header[key] = value
    image = itk.image_from_array(np.ascontiguousarray(pixels[None]))
    image.SetOrigin([float(value) for value in position])
    image.SetSpacing([float(value) for value in (*spacing, thickness)])
    image.SetDirection(_directions(orientation))
    image.SetMetaDataDictionary(header)
    writer_io = itk.GDCMImageIO.New()
    writer_io.KeepOriginalUIDOn()
    with atomic_path(path) as temporary:
        writer = itk.ImageFileWriter.New(image, FileName=str(temporary))
        _compress(itk, writer, writer_io, compression)
        writer.SetImageIO(writer_io)
        writer.Update()


def _elements(series: str, number: int, thickness: float) -> dict[str, str]:
    return {
        "0008|0008": "DERIVED\\SECONDARY",
        "0008|0016": MR_IMAGE,
        "0008|0018": _uid(series, number),
        "0008|0020": FIRST_DAY,
        "0008|0030": "000000",
        "0008|0060": "MR",
        "0008|103e": MARK,
        "0010|0010": "Phantom^No patient",
        "0010|0020": "phantom",
        "0018|0050": f"{thickness:g}",
        "0018|0088": f"{thickness:g}",
        "0020|000d": _uid("study of", series.rpartition("/")[0]),
        "0020|000e": _uid("series", series),
        "0020|0052": _uid("frame of", series.rpartition("/")[0]),
        "0020|0013": str(number),
    }


def _uid(*parts: object) -> str:
    """A DICOM id made of a hash, as PS3.5 B.2 allows for random numbers of 128 bits."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big')}"


def _directions(orientation: Sequence[float]) -> NDArray[np.float64]:
    """(3, 3): a row's, a column's and the slices' direction as columns."""
    along_row, along_column = np.reshape(np.asarray(orientation, dtype=float), (2, 3))
    return np.stack([along_row, along_column, np.cross(along_row, along_column)], axis=1)


def _compress(itk: Any, writer: Any, writer_io: Any, compression: str) -> None:
    if compression == "none":
        return
    kinds = itk.GDCMImageIOEnums
    kind = {"jpeg": kinds.Compression_JPEG, "jpeg2000": kinds.Compression_JPEG2000}[compression]
    writer.UseCompressionOn()
    writer_io.UseCompressionOn()
    writer_io.SetCompressionType(kind)
