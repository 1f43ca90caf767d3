"""Gaussian smoothing of small pictures as products of matrices, many times faster than a filter on each of them.

A Gaussian with mirrored borders multiplies each mode of a cosine transform by a number (Strang, "The Discrete Cosine
Transform", 1999), so that smoothing is a matrix for either axis, and a wide Gaussian leaves few modes.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

NEGLIGIBLE = 1e-3
"""Modes that a Gaussian leaves less of are left out."""


def smooth(picture: np.ndarray, sigma: float) -> np.ndarray:
    """A picture (y, x) under a Gaussian of ``sigma`` pixels."""
    height, width = picture.shape
    (up, down), (up_x, down_x) = _factors(height, height, sigma), _factors(width, width, sigma)
    if 2 * len(down) > height:
        return np.asarray(_matrix(height, height, sigma) @ picture @ _matrix(width, width, sigma).T)
    return np.asarray(up @ (down @ picture @ down_x.T) @ up_x.T)


def shrink_all(picture: np.ndarray, shape: tuple[int, int], sigmas: tuple[float, ...]) -> np.ndarray:
    """A picture under each of several Gaussians at fewer places, (sigmas, *shape).

    Point i of n lies at ``(i + 0.5) * size / n - 0.5`` of the picture.
    """
    (height, width), (rows, columns) = picture.shape, shape
    return np.asarray(_stack(height, rows, sigmas) @ picture @ _stack(width, columns, sigmas).transpose(0, 2, 1))


@lru_cache(maxsize=1024)
def _stack(size: int, places: int, sigmas: tuple[float, ...]) -> np.ndarray:
    return np.stack([_matrix(size, places, sigma) for sigma in sigmas])


@lru_cache(maxsize=1024)
def _matrix(size: int, places: int, sigma: float) -> np.ndarray:
    up, down = _factors(size, places, sigma)
    return np.asarray(up @ down)


@lru_cache(maxsize=1024)
def _factors(size: int, places: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """The modes at ``places`` points (places, modes), and what a picture has of each (modes, size)."""
    modes = np.arange(size)
    gain = np.exp(-((sigma * np.pi * modes / size) ** 2) / 2)
    modes, gain = modes[gain > NEGLIGIBLE], gain[gain > NEGLIGIBLE]
    norm = np.where(modes, np.sqrt(2 / size), np.sqrt(1 / size))

    def basis(count: int) -> np.ndarray:
        return np.asarray(norm * np.cos(np.pi * np.outer(np.arange(count) + 0.5, modes) / count))

    return (basis(places) * gain).astype(np.float32), basis(size).T.astype(np.float32)
