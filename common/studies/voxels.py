"""The pixels of a study's series, as volumes on one grid or as pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from common.cohorts.brains.masks import is_stripped
from common.errors import DatasetError, Problem
from common.formats.dicom import read_ordered
from common.formats.dicom.files import read_slice_pixels
from common.studies.study import StudySeries

STRIP = "Remove all but the brain first (the voxels outside it are exactly 0), as BraTS does."
BRIGHTEST_PERCENTILE = 99.9
"""Of the pixels above the darkest one: single pixels may be many times brighter than all others."""


def read_voxels(
    series: Sequence[StudySeries], *, brain_alone: bool = True
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Read series that lie on one grid.

    Args:
        series: of :func:`read_study`.
        brain_alone: refuse series that show more than a brain.

    Returns:
        float32 (modality, x, y, z) and their affine (4, 4), RAS+.

    Raises:
        DatasetError: pixels cannot be decoded, or series show more than a brain or nothing.
    """
    volumes = [read_ordered(one.slices) for one in series]
    problems = []
    for one, volume in zip(series, volumes, strict=True):
        if not volume.array.any():
            problems.append(Problem("all of its voxels are 0", one.modality, "Choose another series."))
        elif brain_alone and not is_stripped(volume.array, volume.affine):
            problems.append(Problem("it shows a head, not a brain alone", one.modality, STRIP))
    if problems:
        raise DatasetError(problems)
    return np.stack([volume.array for volume in volumes]), volumes[0].affine


def read_slices(series: StudySeries) -> NDArray[np.uint8]:
    """Read a series as pictures, uint8 (slice, y, x).

    One window holds for the whole series: its darkest pixel becomes 0, the percentile :data:`BRIGHTEST_PERCENTILE` of
    those above it 255.

    Raises:
        DatasetError: pixels cannot be decoded, or are all equal.
    """
    planes = np.stack([read_slice_pixels(file) for file in series.slices.files])
    planes -= planes.min()
    bright = planes[planes > 0]
    if not bright.size:
        raise DatasetError(Problem("all of its pixels are equal", series.modality, "Choose another series."))
    return np.rint(255 * np.clip(planes / np.percentile(bright, BRIGHTEST_PERCENTILE), 0, 1)).astype(np.uint8)
