"""Hashes of decoded voxels, which tell the same scan in another file.

They depend on the values and on where these lie in the head, not on how a file stores them: axis order, data type,
scale factor and compression make no difference where the values are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from numpy.typing import NDArray

DIGITS = 16
MOST_PLANES = 8
"""Across the last axis, evenly spaced, in which the places of the values are part of the hash."""

FEWEST_VOXELS = 64
"""Besides background; an image with fewer is no evidence that two scans are one."""

FEWEST_VALUES = 16
"""Different ones. With fewer, as in a mask, moved copies cannot be told from other images of the same size."""

SAMPLE = 4096
PIECE = 2**17


class VoxelHashes(NamedTuple):
    """Two hashes of an image, each of 16 hexadecimal digits.

    Args:
        voxels: of the shape, of the values of all voxels, and of where they are in :data:`MOST_PLANES` planes: equal
            for the same image.
        values: of the voxels' values besides background in any order: equal also for a copy that was shifted, mirrored,
            turned by right angles, padded, or cropped to the brain. ``None`` where there are too few different values.
    """

    voxels: str
    values: str | None


def hash_voxels(array: np.ndarray, affine: np.ndarray | None = None) -> VoxelHashes | None:
    """Hash an image.

    Background is the value of all corners; zero where these differ.

    Args:
        array: finite numbers, (x, y, z) as stored; any other shape without ``affine``.
        affine: (4, 4), voxel indices to millimetres, by which axes are brought to RAS+; ``None`` to leave them.

    Returns:
        ``None`` where the image is no evidence: hardly a voxel differs from the background.
    """
    oriented = array if affine is None else apply_orientation(array, io_orientation(affine))
    background = _background(array)
    count, total = _count_and_sum(array.ravel(order="K"), background)
    if count < FEWEST_VOXELS:
        return None
    planes = _as_float32(oriented[..., _planes(oriented.shape[-1])].ravel(order="F"))
    unordered = f"{count} {total}"
    digest = hashlib.sha256(f"{oriented.shape} {float(background) + 0.0} {unordered} ".encode("ascii"))
    digest.update(planes.data)
    various = np.unique(planes[:: -(-planes.size // SAMPLE)]).size >= FEWEST_VALUES
    return VoxelHashes(digest.hexdigest()[:DIGITS], _shorten(unordered) if various else None)


def hash_each(images: Mapping[str, np.ndarray], affine: np.ndarray | None = None) -> dict[str, VoxelHashes]:
    """The hashes of a scan's images by modality, without those that are no evidence.

    Args:
        images: by modality; see :func:`hash_voxels`.
        affine: of them all.
    """
    hashes = {name: hash_voxels(array, affine) for name, array in images.items()}
    return {name: found for name, found in hashes.items() if found}


def _background(array: np.ndarray) -> np.generic:
    corners = array[tuple(slice(None, None, max(size - 1, 1)) for size in array.shape)].ravel()
    return corners[0] if (corners == corners[0]).all() else array.dtype.type(0)


def _as_float32(array: np.ndarray) -> NDArray[np.float32]:
    """A copy, in which -0.0 is 0.0."""
    values = array.astype(np.float32)
    values += 0.0
    return values


def _planes(depth: int) -> slice:
    """Evenly spaced around the middle."""
    step = -(-depth // MOST_PLANES)
    return slice((depth - 1) % step // 2, None, step)


def _count_and_sum(stored: np.ndarray, background: np.generic) -> tuple[int, int]:
    """How many voxels are no background, and the sum of their bits, mixed so that sums do not agree by chance.

    The same in any order. Piece by piece, so that no copy leaves the processor's cache. The bits are mixed by Knuth's
    multiplicative hash.
    """
    count = total = 0
    for start in range(0, stored.size, PIECE):
        piece = stored[start : start + PIECE]
        values = _as_float32(piece[piece != background])
        bits = values.view(np.uint32) * np.uint32(2654435761)
        bits ^= bits >> np.uint32(15)
        count += values.size
        total += int(bits.sum(dtype=np.uint64))
    return count, total


def _shorten(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGITS]
