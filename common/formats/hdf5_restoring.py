"""Undoing the standardisation of single slices of a volume.

BraTS's intensities are whole numbers, so the steps between the values of a standardised slice give its standard
deviation. On real patients of BraTS 2018 every slice was restored exactly, except one that held a single voxel of
brain.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOLERANCE = 1e-3
MOST_INTENSITY = 2**31 - 1
"""Of whole numbers, which come as int32."""

MOST_DIVISORS = 30
"""Largest ratio of the smallest step between a slice's values to the unit that they are multiples of."""


def restore_intensities(planes: Sequence[np.ndarray]) -> np.ndarray:
    """The volume before its slices were standardised.

    The brain touches no corner of a slice, so the corner is background, and subtracting it makes the background exactly
    zero. What is left are whole numbers divided by the slice's standard deviation; they are divided by the unit that
    they are multiples of. (Were all intensities of a slice even, they would come out halved: that happens in slices of
    a few voxels.) A slice whose corner is zero was not standardised and stays as it is.

    Args:
        planes: the slices (x, y), lowest first.

    Returns:
        int32 (x, y, z); or, where the values of a slice are not multiples of a unit, float32 multiples of each slice's
        standard deviation.
    """
    with np.errstate(invalid="ignore"):
        shifted = [plane - plane[0, 0] for plane in planes]
        units = [_unit_of(zeroed, bool(plane[0, 0])) for zeroed, plane in zip(shifted, planes, strict=True)]
    known = [unit for unit in units if unit]
    if len(known) < len(units):
        return np.stack([zeroed.astype(np.float32) for zeroed in shifted], axis=-1)
    whole = [np.rint(zeroed / unit).astype(np.int32) for zeroed, unit in zip(shifted, known, strict=True)]
    return np.stack(whole, axis=-1)


def _unit_of(plane: np.ndarray, standardised: bool) -> float | None:
    """The unit that all values of a slice with a background of zero are multiples of; ``None`` where there is none."""
    values = np.unique(np.append(plane[plane != 0], 0.0))
    step = float(np.diff(values).min()) if standardised and len(values) > 1 else 1.0
    for divisor in range(1, MOST_DIVISORS + 1 if standardised else 2):
        multiples = values * (divisor / step)
        if np.abs(multiples - np.rint(multiples)).max() < TOLERANCE and np.abs(multiples).max() <= MOST_INTENSITY:
            return step / divisor
    return None
