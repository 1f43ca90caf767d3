"""The slices of one scan as files in order: a DICOM series, or slices exported as images."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from common.errors import DatasetError, Problem
from common.files import is_folder
from common.formats.dicom import find_series
from common.formats.dicom.files import read_slice_pixels
from common.formats.folders import list_folder
from common.formats.images import is_image_name, read_image


@dataclass(frozen=True)
class SliceFiles:
    """A scan's slices, not yet read.

    Args:
        files: in order.
        is_dicom: DICOM files, else images.
        plane: ``axial``, ``coronal`` or ``sagittal``; ``None`` for images, which have no orientation.
        missing: slices that are lacking between the first and the last.
    """

    files: tuple[str, ...]
    is_dicom: bool
    plane: str | None
    missing: int

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> NDArray[np.float32]:
        """Read a slice as float32 (y, x): rescaled intensities of DICOM, 0 to 255 of images.

        Raises:
            DatasetError: the file is truncated or damaged.
        """
        path = self.files[index]
        return read_slice_pixels(path) if self.is_dicom else read_image(path).astype(np.float32)


def list_slices(folder: str | os.PathLike[str]) -> SliceFiles:
    """The slices of a folder: of its DICOM series by position, else of its images by the numbers in their names.

    Missing slices are counted, not refused, since slices are used one by one.

    Raises:
        DatasetError: the folder holds neither, or what :func:`~common.formats.dicom.find_series` refuses.
    """
    folder = Path(folder)
    images = [path for path in list_folder(folder) if is_image_name(path)] if is_folder(folder) else []
    if not images:
        series = find_series(folder, need_regular=False)
        return SliceFiles(series.files, True, series.plane, series.missing)
    if any(path.suffix.lower() == ".dcm" for path in list_folder(folder)):
        hint = "Keep the DICOM files, or the images exported from them."
        raise DatasetError(Problem("holds DICOM files and images", str(folder), hint))
    return SliceFiles(tuple(str(path) for path in sorted(images, key=_by_number)), False, None, 0)


def _by_number(path: Path) -> list[tuple[bool, int, str]]:
    """``Image-10`` after ``Image-9``."""
    parts = re.split(r"(\d+)", path.stem)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
