"""The outline of a phantom's brain: distances below the surfaces of its three parts, and the voxels near it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from common.phantoms.anatomy.noise import Floats

FIELD_OF_VIEW_MM = (240.0, 240.0, 155.0)
"""Of the BraTS challenge. A smaller array samples the same head more coarsely."""

CENTRE_MM = (119.5, 127.0, 0.0)


def voxel_spacing(shape: tuple[int, int, int]) -> tuple[float, float, float]:
    """What a voxel spans of the full-size head when ``shape`` covers the field of view of BraTS.

    Returns:
        mm along x, y and z.
    """
    x, y, z = (extent / n for extent, n in zip(FIELD_OF_VIEW_MM, shape, strict=True))
    return x, y, z


def near_brain(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], size: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """The voxels that may belong to the brain: blocks of about 4 mm near its hull.

    Args:
        shape: of the volume.
        spacing: mm along x, y and z.
        size: (3,) scale of this head against the standard one.

    Returns:
        Flat indices (n,) in the volume, and positions (3, n) in mm.
    """
    axes = [
        ((np.arange(n) + 0.5) * step - 0.5 - centre).astype(np.float32)
        for n, step, centre in zip(shape, spacing, CENTRE_MM, strict=True)
    ]
    block = [max(1, round(4 / step)) for step in spacing]
    corners = [axis[::n] / scale for axis, n, scale in zip(axes, block, size, strict=True)]
    is_near = hull(brain_parts(np.stack(np.meshgrid(*corners, indexing="ij")))) > -10
    for dimension, (n, full) in enumerate(zip(block, shape, strict=True)):
        is_near = is_near.repeat(n, dimension).take(range(full), dimension)
    inside = np.flatnonzero(is_near)
    places = np.unravel_index(inside, shape)
    return inside, np.stack([axis[place] for axis, place in zip(axes, places, strict=True)])


def brain_parts(points: Floats) -> Floats:
    """(3, ...) mm below the surface of the cerebrum, the cerebellum and the brain stem; negative outside."""
    x, y, z = points
    x = np.abs(x)
    breadth = 68 * (1 + 0.05 * y / 86)
    height = np.where(z > 76, np.float32(66), 31 + 4 * np.clip(y / 40, -1, 1))
    oval = np.sqrt((x / breadth) ** 2 + (y / 88) ** 2)
    egg = 1 - (_boxy(oval) + _boxy((z - 76) / height)) ** np.float32(1 / 2.5)
    temporal = 1 - np.sqrt(((x - 42) / 25) ** 2 + ((y + 14) / 48) ** 2 + ((z - 50) / 27) ** 2)
    cerebrum = np.maximum(62 * egg, 26 * temporal)
    notch = 6 * np.exp(-((x / 7) ** 2)) * np.clip((y - 40) / 30, 0, 1)
    cerebellum = 32 * (1 - np.sqrt((x / 54) ** 2 + ((y - 46) / 35) ** 2 + ((z - 30) / 27) ** 2)) - notch
    radius = 9 + 7 * np.exp(-(((z - 38) / 13) ** 2)) + 4 * np.clip((z - 50) / 15, 0, 1)
    stem = np.minimum(radius - np.sqrt((0.85 * x) ** 2 + (y - 22 + 0.25 * z) ** 2), 66 - z)
    cerebrum = np.minimum(cerebrum, 4 - stem + np.maximum(z - 60, 0))
    return np.stack([cerebrum, cerebellum, stem])


def hull(parts: Floats | tuple[Floats, ...]) -> Floats:
    """Depth below the common surface, which bridges the clefts between the parts."""
    softness = np.float32(4.0)
    return np.asarray(softness * np.log(sum(np.exp(np.clip(part, -60, 60) / softness) for part in parts)), np.float32)


def _boxy(share: Floats) -> Floats:
    """|share| to the power of 2.5, which makes an ellipsoid a little boxy."""
    return share * share * np.sqrt(np.abs(share))
