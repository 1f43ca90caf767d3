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
FEWEST_VOXELS = 64
"""Besides background; an image with fewer is no evidence that two scans are one."""

FEWEST_VALUES = 16
"""Different ones. With fewer, as in a mask, moved copies cannot be told from other images of the same size."""

SAMPLE = 4096


class VoxelHashes(NamedTuple):
    """Two hashes of an image, each of 16 hexadecimal digits.

    Args:
        voxels: of all voxels and of the shape: equal for the same image.
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
    # Transposed, volumes as nibabel reads them are in the order of the memory, or nearly so.
    planes = np.ascontiguousarray(oriented.T)
    background = _background(planes)
    filled = planes != background
    values = planes[filled].astype(np.float32)
    if values.size < FEWEST_VOXELS:
        return None
    values += 0.0  # -0.0 becomes 0.0
    digest = hashlib.sha256(f"{oriented.shape} {float(background) + 0.0}".encode("ascii"))
    digest.update(np.packbits(filled).tobytes())
    digest.update(values)
    return VoxelHashes(digest.hexdigest()[:DIGITS], _hash_in_any_order(values))


def hash_each(images: Mapping[str, np.ndarray], affine: np.ndarray) -> dict[str, VoxelHashes]:
    """The hashes of a scan's images by modality, without those that are no evidence.

    Args:
        images: (x, y, z) by modality, as stored.
        affine: (4, 4), of them all.
    """
    hashes = {name: hash_voxels(array, affine) for name, array in images.items()}
    return {name: found for name, found in hashes.items() if found}


def _background(array: np.ndarray) -> np.generic:
    corners = array[tuple(slice(None, None, max(size - 1, 1)) for size in array.shape)].ravel()
    return corners[0] if (corners == corners[0]).all() else array.dtype.type(0)


def _hash_in_any_order(values: NDArray[np.float32]) -> str | None:
    """The number of values, and the sum of what a mixing of bits makes of each (Murmur3's last step)."""
    if np.unique(values[:: -(-values.size // SAMPLE)]).size < FEWEST_VALUES:
        return None
    bits = values.view(np.uint32).copy()
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        bits ^= bits >> np.uint32(shift)
        bits *= np.uint32(factor)
    bits ^= bits >> np.uint32(16)
    total = int(bits.sum(dtype=np.uint64))
    return hashlib.sha256(f"{values.size} {total}".encode("ascii")).hexdigest()[:DIGITS]
