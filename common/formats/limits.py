"""How much a file may hold by its own header, and where; what claims more is refused before memory is asked for it.

A header costs nothing to write: ten kilobytes can claim sixty gigabytes of voxels.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from common.errors import DatasetError, Problem

MOST_BYTES = 2**30
"""Of a volume. The four modalities of BraTS in one file have 286 MB where they are stored as float64."""

MOST_SIDE = 8192
"""Pixels of a slice or a picture may be as many as this squared."""

VOXEL_MM = (1e-2, 1e2)
"""A voxel's edge is between these: what lies beyond is damage, or in metres or micrometres."""

FLAT = 1e-3
"""Volume of a voxel, as a share of a box with its edges, below which two of its axes are one."""

MOST_MM = 1e6
"""Of a scan's first voxel from the origin of its coordinates."""

MOST_AHEAD = 2**26
"""Bytes of a NIfTI file before its first voxel: the header and its extensions."""

GIGABYTE = 1e9
LEAST_ITEM = 4
"""Bytes of a voxel, however it is stored: volumes are prepared as float32."""

HINT = "Such a file is damaged, or no scan of a head: export it again, or leave it out."
MORE_MEMORY = "Close other programs, read fewer at once (fewer workers), or use a machine with more memory."


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


@contextmanager
def fitting_memory(where: str | os.PathLike[str]) -> Iterator[None]:
    """Tell a lack of memory while voxels or pixels are decoded: what is within the limits may be more than is free.

    Raises:
        DatasetError: the memory does not suffice.
    """
    try:
        yield
    except MemoryError as error:
        raise DatasetError(Problem("does not fit into the memory that is free", str(where), MORE_MEMORY)) from error


def endless(path: str | os.PathLike[str]) -> Problem | None:
    """Why something is not opened that is no file: a pipe may never answer, a device may never end."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return None
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return None
    return Problem("is a pipe or a device, not a file", str(path), "Put the file in its place, or remove it.")


def affine_fault(affine: np.ndarray) -> str | None:
    """What makes an affine one by which nothing can be measured, ``None`` where it is sound.

    Args:
        affine: (4, 4), voxel indices to millimetres.
    """
    if not np.isfinite(affine).all():
        return "its affine holds values that are not finite"
    axes, start = np.asarray(affine[:3, :3], dtype=np.float64), np.abs(affine[:3, 3]).max()
    with np.errstate(over="ignore"):
        edges = np.sqrt((axes**2).sum(axis=0))
    if not edges.all() or (np.isfinite(edges).all() and abs(np.linalg.det(axes / edges)) < FLAT):
        return "its affine is singular: voxels have no size"
    if not ((edges >= VOXEL_MM[0]) & (edges <= VOXEL_MM[1])).all():
        return f"its affine gives voxels of {' x '.join(f'{edge:.3g}' for edge in edges)} mm"
    return f"its affine puts it {start:.3g} mm away" if start > MOST_MM else None


def _by(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))
