"""How much a file may hold by its own header; what claims more is refused before memory is asked for it.

A header costs nothing to write: ten kilobytes can claim sixty gigabytes of voxels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from common.errors import Problem

MOST_BYTES = 2**30
"""Of a volume. The four modalities of BraTS in one file have 286 MB where they are stored as float64."""

MOST_SIDE = 8192
"""Pixels of a slice or a picture may be as many as this squared."""

GIGABYTE = 1e9
LEAST_ITEM = 4
"""Bytes of a voxel, however it is stored: volumes are prepared as float32."""

HINT = "Such a file is damaged, or no scan of a head: export it again, or leave it out."


def volume_too_large(shape: Sequence[int], item: int, where: str | os.PathLike[str]) -> Problem | None:
    """Why a volume is not read, ``None`` where it is.

    Args:
        shape: voxels along each axis, by its header.
        item: bytes of a voxel, as stored.
        where: the file, or the folder of a series.
    """
    size = math.prod(map(int, shape)) * max(item, LEAST_ITEM)
    if size <= MOST_BYTES:
        return None
    what = f"claims {_by(shape)} voxels, {size / GIGABYTE:.3g} GB; at most {MOST_BYTES / GIGABYTE:.2g} GB are read"
    return Problem(what, str(where), HINT)


def plane_too_large(size: Sequence[int], where: str | os.PathLike[str]) -> Problem | None:
    """Why a slice or a picture is not read, ``None`` where it is.

    Args:
        size: pixels along each side, by its header.
        where: the file.
    """
    if math.prod(map(int, size)) <= MOST_SIDE**2:
        return None
    return Problem(f"claims {_by(size)} pixels; at most {MOST_SIDE} x {MOST_SIDE} are read", str(where), HINT)


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
