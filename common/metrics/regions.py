"""The three nested regions that BraTS judges, in class indices: 0 background, 1 NCR, 2 ED, 3 ET (4 on disk)."""

from __future__ import annotations

from functools import reduce

import torch

REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
"""Whole tumour, tumour core, enhancing tumour."""


def to_regions(classes: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Masks of WT, TC and ET, which overlap.

    Args:
        classes: class indices of any shape, e.g. (X, Y, Z).
        dim: where the new dimension of the three regions goes.

    Returns:
        A bool tensor with one dimension more, e.g. (3, X, Y, Z).
    """
    masks = [reduce(torch.logical_or, (classes == index for index in indices)) for indices in REGIONS.values()]
    return torch.stack(masks, dim=dim)
