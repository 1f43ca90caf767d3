"""How two views lie over each other, and so the pictures that they were taken of."""

from __future__ import annotations

import numpy as np

from common.cohorts.image_fingerprints import ANGLES, RINGS


def correlate_views(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn and mirror views until they agree best.

    Args:
        first: views (n, RINGS, ANGLES).
        second: the views to compare them with, one by one.

    Returns:
        The correlation (n,), the turn in radians (n,) and whether the first was mirrored before it (n,).
    """
    weights = np.sqrt(np.arange(RINGS, dtype=np.float32) + 0.5)[:, None]
    one, two = first * weights, second * weights
    size = np.sqrt((one**2).sum((1, 2)) * (two**2).sum((1, 2)))
    one, two = np.fft.rfft(one), np.fft.rfft(two)
    spectra = np.stack([(one.conj() * two).sum(1), (one * two).sum(1)], axis=1)
    match = np.fft.irfft(spectra, ANGLES).reshape(len(first), -1)
    best = match.argmax(1)
    score = match[np.arange(len(match)), best] / np.maximum(size, 1e-9)
    return score, best % ANGLES * (2 * np.pi / ANGLES), best >= ANGLES


def guess_maps(
    centres: tuple[np.ndarray, np.ndarray], radii: tuple[np.ndarray, np.ndarray], turn: np.ndarray, mirrored: np.ndarray
) -> np.ndarray:
    """The affine maps (n, 2, 3) that lay the first views over the second.

    Args:
        centres: of the first and of the second views, (n, 2) each, as (y, x).
        radii: their half axes, (n, 2) each.
        turn: (n,) as :func:`correlate_views` tells it.
        mirrored: (n,) likewise.
    """
    cos, sin, sign = np.cos(turn), np.sin(turn), np.where(mirrored, -1.0, 1.0)
    rotation = np.stack([np.stack([sign * cos, sin], -1), np.stack([-sign * sin, cos], -1)], 1)
    matrix = radii[1][:, :, None] * rotation / radii[0][:, None, :]
    shift = centres[1][:, :, None] - matrix @ centres[0][:, :, None]
    return np.concatenate([matrix, shift], axis=2)
