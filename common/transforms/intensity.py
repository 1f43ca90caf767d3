"""Intensities in MRI: z-scores of the brain or of single slices, or shares of the brain's range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CLIP_PERCENTILES = (0.1, 99.9)
PERCENTILE_STRIDE = 7
"""Percentiles are taken from every seventh brain voxel: the same to three digits, at a tenth of the time."""

UNIT_PERCENTILES = (0.5, 99.5)
"""P4: percentiles that are scaled to 0 and 1."""

FEWEST_FOR_STRIDE = 10_000
"""Of brains with fewer voxels all are taken."""


def z_score_in_brain(
    image: np.ndarray,
    clip_percentiles: tuple[float, float] = CLIP_PERCENTILES,
    planes: Sequence[int] | None = None,
) -> np.ndarray:
    """Clip to percentiles of the brain, then subtract its mean and divide by its standard deviation.

    MR intensities have no unit, and single voxels may lie orders of magnitude above the rest (a BraTS case reaches
    32,767): without clipping, these would decide the scale.

    Args:
        image: any shape; voxels that are exactly zero are background.
        clip_percentiles: lower and upper percentile of the brain's voxels.
        planes: indices along the first axis; only these are scaled, by the statistics of the whole image.

    Returns:
        float16 of the same shape, or of the planes alone, background exactly zero. All zero when the image is.
    """
    brain = image != 0
    values = image[brain].astype(np.float32)
    if values.size == 0:
        return np.zeros(image.shape if planes is None else image[planes].shape, dtype=np.float16)
    low, high = _percentiles(values, clip_percentiles)
    np.clip(values, low, high, out=values)
    mean, deviation = values.mean(dtype=np.float64), values.std(dtype=np.float64)
    if planes is not None:
        image, brain = image[planes], brain[planes]
        values = image[brain].astype(np.float32)
        np.clip(values, low, high, out=values)
    scaled = np.zeros(image.shape, dtype=np.float16)
    scaled[brain] = (values - np.float32(mean)) / np.float32(max(deviation, 1e-6))
    return scaled


def z_score_by_slice(image: np.ndarray) -> np.ndarray:
    """Subtract from each slice the mean of all its pixels, background included, and divide by their deviation.

    So are the HDF5 slices on Kaggle from which P3 learned: the background is not zero, and the same tissue differs from
    slice to slice.

    Args:
        image: (z, y, x).

    Returns:
        float16 of the same shape; a slice of one value is zero.
    """
    values = image.astype(np.float64)
    values -= values.mean(axis=(1, 2), keepdims=True)
    deviation = values.std(axis=(1, 2), keepdims=True)
    return np.divide(values, deviation, out=np.zeros_like(values), where=deviation > 0).astype(np.float16)


def scale_in_brain(
    image: np.ndarray, brain: np.ndarray, percentiles: tuple[float, float] = UNIT_PERCENTILES
) -> np.ndarray:
    """Percentiles of the brain to 0 and 1; what lies beyond them is clipped.

    Args:
        image: any shape.
        brain: which voxels are brain, of the same shape.
        percentiles: lower and upper percentile of the brain's voxels.

    Returns:
        float32 of the same shape, zero outside the brain; a brain of one value is zero, too.
    """
    scaled = np.zeros(image.shape, dtype=np.float32)
    values = image[brain].astype(np.float32)
    if values.size:
        low, high = _percentiles(values, percentiles)
        scaled[brain] = np.clip((values - np.float32(low)) / np.float32(max(high - low, 1e-6)), 0, 1)
    return scaled


def _percentiles(values: np.ndarray, percentiles: tuple[float, float]) -> np.ndarray:
    stride = PERCENTILE_STRIDE if values.size >= FEWEST_FOR_STRIDE else 1
    return np.percentile(values[::stride], percentiles)
