"""The folds of a phantom's brain: how far each point of the cerebrum is from the nearest fluid outside of it."""

from __future__ import annotations

import numpy as np

from common.phantoms.anatomy.noise import EXTENT_MM, Floats, banded_grid, sample_grid, smooth_field

GYRUS_WAVELENGTH_MM = 24.0
"""Two gyri and two sulci."""

FISSURE_MM = 0.6
"""Half the width of the clefts between the hemispheres and above the temporal lobes."""


def distance_to_sulci(rng: np.random.Generator, points: Floats, surface: Floats) -> Floats:
    """Distance from ``points`` (3, n) to the fluid around and between the gyri, mm; negative in it.

    The sulci are where a banded random field changes its sign. It is sampled near to where the line from the middle of
    the hemisphere meets the surface, so that the sulci run inwards as sheets; they end at a random depth.

    Args:
        rng: source of the randomness.
        points: mm, in the standard head.
        surface: (n,) mm below the surface of the cerebrum.
    """
    midline = _distance_to_midline(points)
    depth = np.minimum(surface, midline)
    offset = points - _middle(points)
    reach = np.sqrt((offset[0] / 42) ** 2 + (offset[1] / 84) ** 2 + (offset[2] / 60) ** 2)
    projected = _middle(points) + offset / np.maximum(reach, np.float32(0.4)) ** np.float32(0.75)
    folds = sample_grid(_fold_distances(rng), projected)
    bottom = np.maximum(16 + 5 * smooth_field(rng, points, 30), 5)
    half_width = rng.uniform(1.1, 1.7) * np.clip(1 - depth / bottom, 0, 1)
    to_sulcus = np.hypot(folds, np.maximum(depth - bottom, 0)) - half_width + 40 * np.maximum(0.5 - reach, 0)
    clefts = np.minimum(midline, _distance_to_sylvian(points, 0.3 * folds)) - FISSURE_MM
    return np.minimum(np.minimum(surface - 0.3, clefts), to_sulcus)


def _fold_distances(rng: np.random.Generator) -> Floats:
    """A grid of signed distances, mm, to the sign changes of a banded field, measured along the brain's surface."""
    field = banded_grid(rng, GYRUS_WAVELENGTH_MM)
    steps = [extent / n for extent, n in zip(EXTENT_MM, field.shape, strict=True)]
    axes = [(np.arange(n, dtype=np.float32) * step) for n, step in zip(field.shape, steps, strict=True)]
    place = np.stack(np.meshgrid(*axes, indexing="ij")) - np.array([120, 120, 0], np.float32)[:, None, None, None]
    outwards = place - _middle(place)
    outwards /= np.sqrt((outwards**2).sum(axis=0)) + np.float32(1e-3)
    slope = np.asarray(np.gradient(field, *steps))
    across = (slope**2).sum(axis=0) - (slope * outwards).sum(axis=0) ** 2
    # Where the field is flat, a value near 0 must not be taken for a broad sulcus.
    floor = (0.5 * 2 * np.pi / GYRUS_WAVELENGTH_MM) ** 2
    return np.asarray(field / np.sqrt(np.maximum(across, 0) + floor * (0.15 + field**2)), np.float32)


def _middle(points: Floats) -> Floats:
    """The middle of the hemisphere that each of ``points`` (3, ...) lies in."""
    zero = np.zeros_like(points[0])
    return np.stack([np.copysign(np.float32(22), points[0]), zero, zero + np.float32(74)])


def _distance_to_midline(points: Floats) -> Floats:
    """Distance to the cleft between the hemispheres, which the callosum and the central nuclei bridge."""
    core = 70 * (1 - np.sqrt(((points[1] - 1) / 44) ** 2 + ((points[2] - 70) / 35) ** 2))
    return np.hypot(points[0], np.maximum(core, 0))


def _distance_to_sylvian(points: Floats, wobble: Floats) -> Floats:
    """Distance to the cleft above the temporal lobe and to the insula at its bottom."""
    x, y, z = np.abs(points[0]) + np.clip(wobble, -2, 2), points[1], points[2]
    level = z - 68 - 0.25 * y - 0.35 * (x - 50)
    behind = np.abs(y + 6) - 22
    cleft = np.sqrt(np.maximum(39 - x, 0) ** 2 + level**2 + np.maximum(behind - 4, 0) ** 2)
    insula = np.sqrt((x - 39) ** 2 + np.maximum(np.abs(level - 5) - 9, 0) ** 2 + np.maximum(behind, 0) ** 2)
    return np.minimum(cleft, insula)
