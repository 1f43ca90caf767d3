"""Drawing some of a cohort's people at random."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np


def draw_subjects(subjects: Collection[str], size: int, seed: int) -> set[str]:
    """So many of them; the order in which they are given does not matter.

    Args:
        subjects: to draw from.
        size: how many; all where there are fewer.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(subjects))
    ordered = sorted(subjects)
    return {ordered[place] for place in order[:size]}
