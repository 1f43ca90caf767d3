"""How much of a heat map falls on what it should fall on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def share_inside(cam: ArrayLike, mask: ArrayLike) -> float:
    """The share of a heat map's sum that lies inside a mask, such as of a Grad-CAM on the tumour.

    A map that knows nothing has the mask's share of the picture: compare the two.

    Args:
        cam: not negative, of any shape.
        mask: true inside, of the same shape.

    Returns:
        0 to 1; NaN where the map is zero everywhere.

    Raises:
        ValueError: the shapes differ, or the map is negative somewhere.
    """
    heat, inside = np.asarray(cam, dtype=np.float64), np.asarray(mask).astype(bool)
    if heat.shape != inside.shape:
        raise ValueError(f"the map is {heat.shape} and the mask {inside.shape}")
    if (heat < 0).any():
        raise ValueError("the map is negative somewhere")
    total = heat.sum()
    return float(heat[inside].sum() / total) if total > 0 else float("nan")
