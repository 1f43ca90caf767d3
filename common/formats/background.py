"""The background of a scan without a skull: the one value that fills its border, whatever program wrote it.

Most write 0; a z-score of the whole field, or a scanner's lowest value, leaves another number there, and some
tools write NaN.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

FEW = 1e-4
"""Of the other voxels: single ones that had the background's value before a tool replaced it by NaN."""

LEAST_SHARE = 0.5
"""Of the voxels on the six faces that have the background's value; a brain that is cut tightly still touches few."""

ROUNDING = 1e-6
"""Of the range of values: what single precision may add to a constant."""


def find_background(array: np.ndarray) -> float | None:
    """The value that at least half of a volume's border has.

    Args:
        array: (x, y, z), of numbers.

    Returns:
        0.0 nearly always, NaN where the border is NaN, ``None`` where no value has half of it.
    """
    faces = faces_of(array)
    size = sum(face.size for face in faces)
    least = LEAST_SHARE * size
    if size - sum(np.count_nonzero(face) for face in faces) >= least:
        return 0.0
    border = np.concatenate([face.ravel() for face in faces])
    if np.count_nonzero(np.isnan(border)) >= least:
        return float("nan")
    value = float(np.nanmedian(border))  # a value that more than half of them have is their median
    return value if np.count_nonzero(_near(border, value, array)) >= least else None


def zero_background(array: np.ndarray) -> np.ndarray:
    """The volume with its background at 0, and its other values moved along, so that none of them becomes background.

    Args:
        array: (x, y, z), of numbers.

    Returns:
        The same array where the background is 0 already, or where there is none.
    """
    outside = _find_outer_nan(array)
    value = find_background(array)
    if value is None or value == 0 or np.isnan(value):
        return array if outside is None else np.where(outside, array.dtype.type(0), array)
    background = _near(array, value, array) | (False if outside is None else outside)
    exact = array if array.dtype.kind == "f" else array.astype(np.int64)
    moved = (exact - exact.dtype.type(value)).astype(np.float32)
    moved[background] = 0
    return moved


def count_inner_faults(array: np.ndarray) -> int:
    """How many voxels are infinite, or NaN within the head: NaN that reaches the border is background."""
    # Two reductions without a temporary array: NaN propagates in both, infinity is the largest or the smallest value.
    if array.dtype.kind != "f" or (np.isfinite(array.max()) and np.isfinite(array.min())):
        return 0
    faults, outside = ~np.isfinite(array), _find_outer_nan(array)
    return int(np.count_nonzero(faults if outside is None else faults & ~outside))


def _near(values: np.ndarray, value: float, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind != "f":
        return np.asarray(values == value)
    tolerance = ROUNDING * float(np.nanmax(array) - np.nanmin(array))
    return np.asarray(np.abs(values - array.dtype.type(value)) <= tolerance)


def _find_outer_nan(array: np.ndarray) -> np.ndarray | None:
    """Which voxels belong to regions of NaN that reach the border; ``None`` where there are none.

    Where most of the border is NaN, :data:`FEW` others within the head belong to them too.
    """
    if array.dtype.kind != "f" or not np.isnan(array.max()):
        return None
    missing = np.isnan(array)
    labels, _ = ndimage.label(missing, structure=np.ones((3, 3, 3)))
    faces = np.concatenate([face.ravel() for face in faces_of(labels)])
    reaching = np.unique(faces[faces > 0])
    outside = np.isin(labels, reaching)
    inner = np.count_nonzero(missing) - np.count_nonzero(outside)
    is_background = np.count_nonzero(faces) >= LEAST_SHARE * faces.size
    return missing if is_background and inner <= FEW * np.count_nonzero(~missing) else outside


def faces_of(array: np.ndarray) -> list[np.ndarray]:
    """The six planes at the border of a volume (x, y, z); views."""
    return [np.moveaxis(array, axis, 0)[index] for axis in range(3) for index in (0, -1)]
