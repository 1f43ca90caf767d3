"""Measures of a segmented region, each in one place, and BraTS's two: Dice and the 95 % Hausdorff distance.

A region that is empty in both has Dice 1 and distance 0; one that is empty in only one of them has Dice 0 and the
distance 373.13 mm, the diagonal of a 240 x 240 x 155 volume at 1 mm. That is the rule of the challenge's evaluation as
the evaluation code of nnU-Net's winning entry of 2020 rebuilt it (Isensee et al., arXiv 2011.00848).

The distance is one percentile of the distances of both surfaces together ("pooled"), between voxel centres, as in MedPy
(and so nnU-Net) and in the challenge's evaluation since 2023. MONAI's own takes a percentile for each direction and
then the larger of the two: values by the two rules must not be compared.

A new measure is one more :class:`RegionMeasure` in :data:`REGION_MEASURES`: results, intervals, reports and comparisons
take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from monai.metrics import compute_dice
from monai.metrics.utils import get_edge_surface_distance

from common.metrics.dice import regions_of, to_regions

WORST_DISTANCE = float(np.linalg.norm((240, 240, 155)))
"""373.13 mm, whatever the size of the volume: the challenge's penalty."""


@dataclass(frozen=True)
class RegionMeasure:
    """A measure of a region in a volume.

    Args:
        name: in ``predictions.csv`` (``<name>_WT``) and ``metrics.json``.
        title: in words.
        of: its value for the predicted and the true mask (x, y, z) and the spacing of the voxels in mm.
        unit: of the value.
        digits: after the decimal point.
        of_volumes: whether it needs the whole volume; of some slices it is then undefined.
    """

    name: str
    title: str
    of: Callable[[torch.Tensor, torch.Tensor, Sequence[float]], float]
    unit: str = ""
    digits: int = 3
    of_volumes: bool = False

    def heading(self, region: str = "") -> str:
        """A row or column of a table: ``HD95 in mm``, ``HD95 WT in mm``."""
        return " ".join(filter(None, (self.title, region, self.unit and f"in {self.unit}")))


def dice(predicted: torch.Tensor, true: torch.Tensor, spacing: Sequence[float] = ()) -> float:
    """2 |A and B| / (|A| + |B|) of two masks (x, y, z); 1 where both are empty."""
    return float(compute_dice(predicted[None, None], true[None, None], ignore_empty=False))


def hd95(predicted: torch.Tensor, true: torch.Tensor, spacing: Sequence[float] = (1.0, 1.0, 1.0)) -> float:
    """The 95 % Hausdorff distance of two masks (x, y, z), pooled over both surfaces.

    Args:
        predicted: bool.
        true: bool.
        spacing: of the voxels in mm.

    Returns:
        In mm; 0 where both are empty, :data:`WORST_DISTANCE` where one of them is.
    """
    if not predicted.any() and not true.any():
        return 0.0
    if not predicted.any() or not true.any():
        return WORST_DISTANCE
    _, directed, _ = get_edge_surface_distance(predicted, true, spacing=tuple(spacing), symmetric=True)
    return float(np.quantile(torch.cat(directed).cpu().numpy(), 0.95))


REGION_MEASURES = (
    RegionMeasure("dice", "Dice", dice),
    RegionMeasure("hd95", "HD95 (pooled)", hd95, unit="mm", digits=1, of_volumes=True),
)


def judge_regions(
    prediction: torch.Tensor | np.ndarray,
    truth: torch.Tensor | np.ndarray,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    classes: int = 4,
) -> dict[str, dict[str, float]]:
    """The measures of WT, TC and ET in one volume.

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
    masks = zip(regions, *(to_regions(volume[box], regions=regions) for volume in (predicted, true)), strict=True)
    return {
        region: {measure.name: measure.of(ours, theirs, spacing) for measure in REGION_MEASURES}
        for region, ours, theirs in masks
    }


def _bounding_box(mask: torch.Tensor) -> tuple[slice, ...]:
    """Where anything is, or a single voxel of background: outside it nothing changes either measure."""
    where = mask.nonzero()
    if not len(where):
        return (slice(0, 1),) * mask.ndim
    lowest, highest = where.amin(0).tolist(), where.amax(0).tolist()
    return tuple(slice(low, high + 1) for low, high in zip(lowest, highest, strict=True))
