"""Reading a DICOM series: slices in the order of their positions; a folder that is not one series is refused.

Only the headers count: the names of files, their numbers and the order in which they were copied mean nothing. One
error names all that a folder holds besides one series of single slices. See
:mod:`common.formats.dicom.files` for what is read of a header.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import DatasetError, Problem
from common.files import is_file, is_folder
from common.formats.dicom.files import read_slice_pixels
from common.formats.dicom.order import DicomSeries, PathLike, order_files
from common.formats.folders import list_folder
from common.formats.limits import fitting_memory, volume_too_large

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DicomVolume:
    """A series in memory.

    Args:
        array: float32 (x, y, z): column, row, slice; rescaled.
        affine: (4, 4), indices to millimetres in RAS+.
        spacing: mm along x, y, z.
    """

    array: NDArray[np.float32]
    affine: NDArray[np.float64]
    spacing: tuple[float, float, float]


def read_series(folder: PathLike) -> DicomVolume:
    """Read the one series of a folder as a volume.

    Raises:
        DatasetError: as in :func:`find_series`, or a slice's pixels cannot be decoded.
    """
    return read_ordered(find_series(folder))


def read_ordered(series: DicomSeries) -> DicomVolume:
    """Read the slices that :func:`find_series` or :func:`order_files` found.

    Raises:
        DatasetError: a slice's pixels cannot be decoded, or there are too many, for any machine or for this one.
    """
    folder = Path(series.files[0]).parent
    if too_large := volume_too_large((*series.size, len(series.files)), 4, folder):
        raise DatasetError(too_large)
    with fitting_memory(folder):
        planes = [read_slice_pixels(file).T for file in series.files]
        return DicomVolume(np.stack(planes, axis=-1), series.affine, series.spacing)


def find_series(folder: PathLike, need_regular: bool = True) -> DicomSeries:
    """Read the headers of a folder's files and put the slices in order.

    Args:
        folder: files in subfolders do not count; files that are not DICOM images are counted and not read.
        need_regular: whether missing and unevenly spaced slices are a problem: they are for a volume, not for single
            slices.

    Returns:
        The files in the order of their positions, with the geometry of the series.

    Raises:
        DatasetError: everything that keeps the folder from being one series: no DICOM image, files that are truncated
            or damaged, several series, colour, multi-frame files, slices of different sizes, orientations or pixel
            sizes or without a position, different images at one position; for a volume, missing slices and pixels of
            unknown size.
    """
    folder = Path(folder)
    if not is_folder(folder):
        what = "is a file, not the folder of a DICOM series" if is_file(folder) else "there is no such folder"
        raise DatasetError(Problem(what, str(folder), "Pass the folder that holds the series."))
    files = list_folder(folder)
    series = order_files([path for path in files if path.is_file()], folder, need_regular)
    if series.others or series.copies:
        logger.info(
            "%s: %d files are not DICOM images, %d are copies of others; not read",
            folder,
            series.others,
            series.copies,
        )
    return series
