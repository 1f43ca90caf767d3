"""BraTS's measures of a segmentation: Dice and the 95 % Hausdorff distance of WT, TC and ET for each whole volume.

A region that is empty in both has Dice 1 and distance 0; one that is empty in only one of them has Dice 0 and the
distance 373.13 mm, the diagonal of a 240 x 240 x 155 volume at 1 mm. That is the rule of the challenge's evaluation as
the evaluation code of nnU-Net's winning entry of 2020 rebuilt it (Isensee et al., arXiv 2011.00848).

The distance is MONAI's: the larger of the two directed 95th percentiles, between the surfaces' voxel centres. MedPy's
(and so nnU-Net's) takes one percentile of both directions together, which can be smaller.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.metrics import compute_dice, compute_hausdorff_distance

from common.metrics.dice import regions_of, to_regions

WORST_DISTANCE = float(np.linalg.norm((240, 240, 155)))
"""373.13 mm, whatever the size of the volume: the challenge's penalty."""


def brats_dice_hd95(
    prediction: torch.Tensor | np.ndarray,
    truth: torch.Tensor | np.ndarray,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    classes: int = 4,
) -> dict[str, dict[str, float]]:
    """Dice and HD95 of one volume.

    Args:
        prediction: class indices, shape (X, Y, Z).
        truth: class indices, the same shape.
        spacing: of the voxels in mm.
        classes: of the network, background included; with five, the resection cavity is judged too.

    Returns:
        ``{"WT": {"dice": 0..1, "hd95": mm}, "TC": ..., "ET": ...}``, and ``RC`` of five classes.

    Raises:
        ValueError: the shapes differ.
    """
    predicted, true = torch.as_tensor(prediction), torch.as_tensor(truth)
    if predicted.shape != true.shape or true.ndim != 3:
        raise ValueError(f"two volumes of one shape are needed, not {tuple(predicted.shape)} and {tuple(true.shape)}")
    box = _bounding_box((predicted > 0) | (true > 0))
    regions = regions_of(classes)
    predicted, true = (to_regions(volume[box], regions=regions) for volume in (predicted, true))
    dice = compute_dice(predicted[None], true[None], ignore_empty=False)[0]
    return {
        region: {"dice": float(dice[index]), "hd95": _hd95(predicted[index], true[index], spacing)}
        for index, region in enumerate(regions)
    }


def _bounding_box(mask: torch.Tensor) -> tuple[slice, ...]:
    """Where anything is, or a single voxel of background: outside it nothing changes either measure."""
    where = mask.nonzero()
    if not len(where):
        return (slice(0, 1),) * mask.ndim
    lowest, highest = where.amin(0).tolist(), where.amax(0).tolist()
    return tuple(slice(low, high + 1) for low, high in zip(lowest, highest, strict=True))


def _hd95(predicted: torch.Tensor, true: torch.Tensor, spacing: Sequence[float]) -> float:
    """In mm, for two masks of shape (x, y, z)."""
    if not predicted.any() and not true.any():
        return 0.0
    if not predicted.any() or not true.any():
        return WORST_DISTANCE
    distance = compute_hausdorff_distance(
        predicted[None, None], true[None, None], include_background=True, percentile=95, spacing=list(spacing)
    )
    return float(distance)
