"""Masks that may be another patient's, or were moved, as they lie where images show nothing; empty ones, and those
that do not tell the tumour's parts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from common.errors import list_some
from common.records import scan_of
from common.transforms.cases import Case

MOST_ON_BACKGROUND = 0.02
"""Share of a mask. Of BraTS 2018 a voxel in ten thousand at most lies there."""

MOST_LISTED = 5


def mask_doubts(cases: Iterable[Case]) -> list[str]:
    """What a person should look at among the masks of a cohort.

    Args:
        cases: with ``tumour_ml``, ``mask_on_background`` and ``tumour_voxels``.

    Returns:
        A sentence for masks on background, one for empty masks, one for masks of necrotic core alone; none where all
        is well.
    """
    empty, misplaced, whole = [], [], []
    for case in cases:
        share = case.get("mask_on_background")
        if share is not None and share > MOST_ON_BACKGROUND:
            misplaced.append(f"{scan_of(case)} ({share:.0%})")
        elif case.get("tumour_ml") == 0:
            empty.append(scan_of(case))
        elif _only_core(case):
            whole.append(scan_of(case))
    told = []
    if misplaced:
        told.append(
            f"Much of a mask lies where no image shows the brain: {list_some(misplaced, MOST_LISTED)}. It may be "
            "another patient's, or on another grid."
        )
    if empty:
        told.append(f"No voxel is tumour in the masks of {list_some(empty, MOST_LISTED)}.")
    if whole:
        told.append(
            f"All of the tumour is necrotic core in the masks of {list_some(whole, MOST_LISTED)}. A mask of the whole "
            "tumour does not tell its parts."
        )
    return told


def _only_core(case: Case) -> bool:
    """Whether a mask has voxels of its first class alone."""
    parts = np.reshape(case.get("tumour_voxels") or [], (-1, 3)).sum(axis=0)
    return bool(parts[0]) and not parts[1:].any()
