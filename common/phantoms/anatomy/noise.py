"""Random fields that are smooth in space, sampled at points given in millimetres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import map_coordinates

Floats = NDArray[np.float32]

EXTENT_MM = (240.0, 240.0, 160.0)
"""The fields repeat themselves beyond these lengths, more than a head."""


def smooth_field(rng: np.random.Generator, points: Floats, wavelength: float) -> Floats:
    """(n,) values of a Gaussian random field of mean 0 and variance 1.

    Args:
        rng: source of the randomness.
        points: (3, n), in mm.
        wavelength: in mm; the field holds hardly anything shorter.
    """
    return sample_grid(_filtered_grid(rng, wavelength, lambda relative: np.exp(-2 * relative**2)), points)


def banded_grid(rng: np.random.Generator, wavelength: float) -> Floats:
    """A grid of a random field of ``wavelength`` mm only: its sign changes are winding bands of even width."""
    return _filtered_grid(rng, wavelength, lambda relative: np.exp(-(((relative - 1) / 0.25) ** 2)))


def sample_grid(grid: Floats, points: Floats) -> Floats:
    """(n,) values at ``points`` (3, n), in mm from the middle of the floor, of a ``grid`` that spans EXTENT_MM."""
    per_mm = [n / extent for n, extent in zip(grid.shape, EXTENT_MM, strict=True)]
    origin = np.array([EXTENT_MM[0] / 2, EXTENT_MM[1] / 2, 0], np.float32)[:, None]
    places = (points + origin) * np.asarray(per_mm, np.float32)[:, None]
    return np.asarray(map_coordinates(grid, places, output=np.float32, order=1, mode="grid-wrap"))


def blend(distance: NDArray[np.floating], width: float) -> Floats:
    """From 0 to 1 where ``distance`` crosses 0, over ``width``: an edge with its partial volume."""
    return np.clip(distance / np.float32(width) + np.float32(0.5), 0, 1)


def _filtered_grid(rng: np.random.Generator, wavelength: float, gain: Callable[[Floats], Floats]) -> Floats:
    size = [round(extent / max(wavelength / 8, 3.0)) for extent in EXTENT_MM]
    steps = [extent / n for extent, n in zip(EXTENT_MM, size, strict=True)]
    axes = [fft.fftfreq(n, step) for n, step in zip(size[:2], steps[:2], strict=True)]
    x, y, z = np.meshgrid(*axes, fft.rfftfreq(size[2], steps[2]), indexing="ij", sparse=True)
    relative = (wavelength * np.sqrt(x**2 + y**2 + z**2)).astype(np.float32)
    spectrum = fft.rfftn(rng.standard_normal(size, dtype=np.float32)) * gain(relative)
    values = fft.irfftn(spectrum, size)
    return np.asarray((values - values.mean()) / values.std(), np.float32)
