"""Dice in the bundles' forms: of BraTS's three nested regions, and P3's own soft one of the three classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any

import torch
from monai.losses import DiceLoss
from monai.metrics import compute_dice
from monai.utils import convert_to_tensor

from common.metrics.column_mean import ColumnMean
from common.records import CAVITY_CLASS, MASK_CLASSES

REGIONS = {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}
"""Whole tumour, tumour core, enhancing tumour."""

CAVITY = {CAVITY_CLASS: (4,)}
"""The resection cavity, where a network has a class for it: a region of its own, no part of the tumour."""


def regions_of(classes: int) -> dict[str, tuple[int, ...]]:
    """The regions that are judged of a network with so many classes, background included."""
    return REGIONS | CAVITY if classes > len(MASK_CLASSES) + 1 else REGIONS


def to_regions(
    classes: torch.Tensor, dim: int = 0, regions: Mapping[str, Sequence[int]] = MappingProxyType(REGIONS)
) -> torch.Tensor:
    """Masks of WT, TC and ET, which overlap.

    Args:
        classes: class indices of any shape, e.g. (X, Y, Z).
        dim: where the new dimension of the regions goes.
        regions: others, each with the class indices that it unites.

    Returns:
        A bool tensor with one dimension more, e.g. (3, X, Y, Z).
    """
    masks = [reduce(torch.logical_or, (classes == index for index in indices)) for indices in regions.values()]
    return torch.stack(masks, dim=dim)


class VolumeDice(ColumnMean):
    """BraTS's Dice, with its rule for empty regions: 1 where both are empty, 0 where one of them is.

    A call takes logits, probabilities or one-hot masks (B, classes, ...), or class indices (B, 1, ...), on either side,
    of the same spatial shape, or lists of the same without B; of several channels the largest counts (P3's masks are
    soft). An item is a volume, or whatever B counts. A class of the resection cavity is in no column.
    """

    columns = tuple(REGIONS)

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        """Dice of shape (B, 3)."""
        if y is None:
            raise ValueError("a truth is needed")
        predicted, true = _class_indices(y_pred), _class_indices(y)
        if predicted.shape != true.shape:
            raise ValueError(f"prediction {tuple(predicted.shape)} and truth {tuple(true.shape)} differ in shape")
        return compute_dice(to_regions(predicted, dim=1), to_regions(true, dim=1), ignore_empty=False)


def _class_indices(volumes: torch.Tensor) -> torch.Tensor:
    """(B, C, ...) to (B, ...); ``max`` does it in a fifth of ``argmax``'s time on a CPU."""
    plain = convert_to_tensor(volumes, track_meta=False)
    return plain[:, 0] if plain.shape[1] == 1 else plain.max(dim=1).indices


def soft_dice(logits: torch.Tensor, truth: torch.Tensor, smooth: float = 1.0, background: bool = False) -> torch.Tensor:
    """P3, section 4.1.3: (2 sum p m + smooth) / (sum p + sum m + smooth) for each slice and class.

    The background's weight is 0 there and the others' 1; sums are per slice. The smoothing is not printed: it is 1.

    Args:
        logits: of the four classes, (B, 4, X, Y).
        truth: class indices (B, 1, X, Y), or masks of the four classes (B, 4, X, Y), which may be soft.
        smooth: the formula's epsilon.
        background: also give that of the background, first.

    Returns:
        (B, 3): NCR, ED, ET; or (B, 4).
    """
    loss = DiceLoss(
        softmax=True,
        include_background=background,
        to_onehot_y=truth.shape[1] == 1,
        smooth_nr=smooth,
        smooth_dr=smooth,
        reduction="none",
    )
    return 1 - loss(logits, truth).flatten(start_dim=1)


class SoftDice(ColumnMean):
    """:func:`soft_dice` with the slice as the item, which is what P3's test "accuracy" averages.

    A call takes logits (B, 4, X, Y), or whole volumes (B, 4, X, Y, Z) whose slices along Z count one by one,
    with truth as in :func:`soft_dice`.

    Args:
        column: ``NCR``, ``ED`` or ``ET`` for that class alone; ``None`` for the mean of the three.
        smooth: the formula's epsilon.
    """

    columns = MASK_CLASSES

    def __init__(self, column: str | None = None, smooth: float = 1.0) -> None:
        super().__init__(column)
        self.smooth = smooth

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        """Soft Dice of shape (slices, 3)."""
        if y is None or y_pred.shape[1] != len(MASK_CLASSES) + 1:
            raise ValueError("logits of four classes (B, 4, ...) and a truth are needed")
        return soft_dice(_slices(y_pred), _slices(y), self.smooth)


def _slices(images: torch.Tensor) -> torch.Tensor:
    """(B, C, X, Y, Z) to (B * Z, C, X, Y); images stay as they are."""
    plain = convert_to_tensor(images, track_meta=False)
    return plain if plain.ndim == 4 else plain.movedim(-1, 1).flatten(end_dim=1)
