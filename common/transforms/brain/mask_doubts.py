"""Masks that may be another patient's, or were moved: much of them lies where the images show nothing; or are empty."""

from __future__ import annotations

from collections.abc import Iterable

from common.errors import list_some
from common.records import scan_of
from common.transforms.cases import Case

MOST_ON_BACKGROUND = 0.02
"""Share of a mask. Of BraTS 2018 a voxel in ten thousand at most lies there."""

MOST_LISTED = 5


def mask_doubts(cases: Iterable[Case]) -> list[str]:
    """What a person should look at among the masks of a cohort.

    Args:
        cases: with ``tumour_ml`` and ``mask_on_background``.

    Returns:
        A sentence for masks on background, one for empty masks; none where all is well.
    """
    empty, misplaced = [], []
    for case in cases:
        share = case.get("mask_on_background")
        if share is not None and share > MOST_ON_BACKGROUND:
            misplaced.append(f"{scan_of(case)} ({share:.0%})")
        elif case.get("tumour_ml") == 0:
            empty.append(scan_of(case))
    told = []
    if misplaced:
        told.append(
            f"Much of a mask lies where no image shows the brain: {list_some(misplaced, MOST_LISTED)}. It may be "
            "another patient's, or on another grid."
        )
    if empty:
        told.append(f"No voxel is tumour in the masks of {list_some(empty, MOST_LISTED)}.")
    return told
