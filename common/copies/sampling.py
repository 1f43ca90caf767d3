"""Reading many pictures between their pixels at once."""

from __future__ import annotations

import numpy as np


def is_inside(places: np.ndarray, shapes: np.ndarray, rim: float = 0) -> np.ndarray:
    """Which places (n, 2, points) lie on pictures of ``shapes`` (n, 2), at least ``rim`` pixels from their edges."""
    limits = np.asarray(shapes - 1 - rim, dtype=places.dtype)[:, :, None]
    inside = (places >= rim) & (places <= limits)
    return np.asarray(inside[:, 0] & inside[:, 1])


def sample(
    pictures: np.ndarray, shapes: np.ndarray, places: np.ndarray, chosen: np.ndarray | None = None
) -> np.ndarray:
    """Values of pictures by bilinear interpolation, 0 beyond their edges.

    Args:
        pictures: (m, y, x) or (m, y, x, channels).
        shapes: (n, 2) height and width of the one that is read.
        places: float32 (n, 2, points) as (y, x).
        chosen: (n,) which picture is read; by default each in its turn.

    Returns:
        float32 (n, points) or (n, points, channels).
    """
    (height, width), channels = pictures.shape[1:3], pictures.shape[3:]
    chosen = np.arange(len(pictures)) if chosen is None else chosen
    inside = is_inside(places, shapes)
    places = np.where(inside[:, None], places, 0)
    corner = places.astype(np.int32)
    share = places - corner
    step = (corner < np.array([height - 1, width - 1])[:, None]).astype(np.int32)
    start = (chosen.astype(np.int32) * (height * width))[:, None] + corner[:, 0] * width + corner[:, 1]
    flat = pictures.reshape(-1, *channels)
    down, right = (part.reshape(part.shape + (1,) * len(channels)) for part in (share[:, 0], share[:, 1]))
    below = start + step[:, 0] * width
    upper = _mix(flat.take(start, 0), flat.take(start + step[:, 1], 0), right)
    lower = _mix(flat.take(below, 0), flat.take(below + step[:, 1], 0), right)
    return _mix(upper, lower, down) * inside.reshape(inside.shape + (1,) * len(channels))


def _mix(one: np.ndarray, two: np.ndarray, share: np.ndarray) -> np.ndarray:
    one = one.astype(np.float32, copy=False)
    return one + (two - one) * share
