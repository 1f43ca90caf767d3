"""The head around a phantom's brain in a scan: fluid, skull, scalp, and the noise of air."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from common.phantoms.anatomy.noise import Floats

LAYERS = ((2.0, 0.35), (8.0, 0.12), (14.0, 1.35))
"""Fluid, skull and scalp: how far from the brain each ends, mm, and its brightness as a share of the brain's mean."""

AIR_NOISE = 0.02
"""As a share of the brain's mean."""


def add_head(brain: NDArray, spacing: tuple[float, float, float], rng: np.random.Generator) -> Floats:
    """Grow a head around a brain.

    Args:
        brain: (x, y, z), 0 outside the brain.
        spacing: what a voxel spans of the full-size head, mm.
        rng: of the noise.

    Returns:
        (x, y, z), the brain as it was, and in air nothing but noise, which is rarely 0.
    """
    is_brain = brain > 0
    mean = float(brain[is_brain].mean())
    apart = np.asarray(distance_transform_edt(~is_brain, sampling=spacing), np.float32)
    around = np.zeros(brain.shape, np.float32)
    for end, brightness in reversed(LAYERS):
        around[apart <= end] = brightness * mean
    noise = np.float32(AIR_NOISE * mean) * rng.standard_normal((2, *brain.shape), dtype=np.float32)
    return np.where(is_brain, brain, np.hypot(around + noise[0], noise[1])).astype(np.float32)
