"""Measures of a segmented region, each in one place: those of BraTS, and the normalised surface Dice.

A region that is empty in both has Dice 1 and distance 0; one that is empty in only one of them has Dice 0 and the
distance 373.13 mm, the diagonal of a 240 x 240 x 155 volume at 1 mm. That is the rule of the challenge's evaluation as
the evaluation code of nnU-Net's winning entry of 2020 rebuilt it (Isensee et al., arXiv 2011.00848). The other two
measures are 1 and 0 there, as Dice is.

The distance is one percentile of the distances of both surfaces together ("pooled"), between voxel centres, as in MedPy
(and so nnU-Net) and in the challenge's evaluation since 2023. MONAI's own takes a percentile for each direction and
then the larger of the two: values by the two rules must not be compared.

A new measure is one more :class:`RegionMeasure` in :data:`REGION_MEASURES`: results, intervals, reports and comparisons
take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from monai.metrics import compute_dice
from monai.metrics.utils import get_edge_surface_distance
from monai.transforms.utils import generate_spatial_bounding_box
from scipy.ndimage import binary_dilation, generate_binary_structure, label

from common.metrics.dice import regions_of, to_regions

WORST_DISTANCE = float(np.linalg.norm((240, 240, 155)))
"""373.13 mm, whatever the size of the volume: the challenge's penalty."""

TOLERANCE = 1.0
"""mm by which a surface may be off and count as right: a voxel of BraTS."""

NEAR = 3
"""By how many voxels a true lesion is dilated: parts that then are one are one lesion, and what it touches belongs to
it. With :data:`SMALLEST_LESION` BraTS 2023's values for adult glioma."""

SMALLEST_LESION = 50.0
"""mm³; true lesions that are no larger are not judged."""

CORNERS, EDGES = generate_binary_structure(3, 3), generate_binary_structure(3, 2)
"""The 26 and the 18 neighbours of a voxel."""


@dataclass(frozen=True)
class RegionMasks:
    """A region of one volume.

    Args:
        predicted: bool (x, y, z).
        true: bool (x, y, z).
        spacing: of the voxels in mm.
    """

    predicted: torch.Tensor
    true: torch.Tensor
    spacing: Sequence[float]

    @cached_property
    def empty(self) -> int:
        """In how many of the two masks the region is empty."""
        return [bool(mask.any()) for mask in (self.predicted, self.true)].count(False)

    @cached_property
    def distances(self) -> np.ndarray:
        """From each voxel of either surface to the other surface in mm; there must be both."""
        spacing = tuple(self.spacing)
        _, directed, _ = get_edge_surface_distance(self.predicted, self.true, spacing=spacing, symmetric=True)
        return torch.cat(directed).cpu().numpy()


@dataclass(frozen=True)
class RegionMeasure:
    """A measure of a region in a volume.

    Args:
        name: in ``predictions.csv`` (``<name>_WT``) and ``metrics.json``.
        title: in words.
        of: its value.
        rule: what a table says of how it is computed.
        unit: of the value.
        digits: after the decimal point.
        of_volumes: whether it needs the whole volume; of some slices it is then undefined.
    """

    name: str
    title: str
    of: Callable[[RegionMasks], float]
    rule: str
    unit: str = ""
    digits: int = 3
    of_volumes: bool = False

    def heading(self, region: str = "") -> str:
        """A row or column of a table: ``HD95 in mm``, ``HD95 WT in mm``."""
        return " ".join(filter(None, (self.title, region, self.unit and f"in {self.unit}")))


def dice(masks: RegionMasks) -> float:
    """2 |A and B| / (|A| + |B|); 1 where both are empty."""
    return float(compute_dice(masks.predicted[None, None], masks.true[None, None], ignore_empty=False))


def lesion_dice(masks: RegionMasks) -> float:
    """The mean Dice of the lesions, by the rule of BraTS 2023 for adult glioma (Saluja, ``BraTS-2023-Metrics``).

    A lesion is a part of the truth that is connected, by 26 neighbours, after dilation by :data:`NEAR` voxels. It is
    compared with all predicted parts that touch what it is dilated to; one without any has Dice 0, and so has each
    predicted part that touches none, however small. Lesions up to :data:`SMALLEST_LESION` are left out, and so are the
    predicted parts that touch them alone. Where nothing is left it is 1.
    """
    predicted, true = masks.predicted.cpu().numpy(), masks.true.cpu().numpy()
    near, lesions = label(binary_dilation(true, EDGES, iterations=NEAR), CORNERS)
    parts, found = label(predicted, CORNERS)
    # of all pairs of a part and a lesion those that touch; the first row and column are background
    touches = np.zeros((found + 1, lesions + 1), dtype=bool)
    touches[parts, near] = True
    touches = touches[1:, 1:]
    voxels = np.bincount(near[true], minlength=lesions + 1)[1:]
    shared = np.bincount(near[true & predicted], minlength=lesions + 1)[1:]
    scores = 2 * shared / (voxels + np.bincount(parts.ravel())[1:] @ touches)
    judged = scores[voxels * np.prod(masks.spacing) > SMALLEST_LESION]
    count = len(judged) + (~touches.any(axis=1)).sum()
    return float(judged.sum() / count) if count else 1.0


def nsd(masks: RegionMasks) -> float:
    """The normalised surface Dice: the share of both surfaces' voxels that are within :data:`TOLERANCE` of the other.

    As ``monai.metrics.compute_surface_dice`` computes it: that of Nikolov et al. (arXiv 1809.04430), with voxels in
    place of areas.
    """
    if masks.empty:
        return 0.0 if masks.empty == 1 else 1.0
    return float((masks.distances <= TOLERANCE).mean())


def hd95(masks: RegionMasks) -> float:
    """The 95 % Hausdorff distance, pooled over both surfaces.

    Returns:
        In mm; 0 where both are empty, :data:`WORST_DISTANCE` where one of them is.
    """
    if masks.empty:
        return WORST_DISTANCE if masks.empty == 1 else 0.0
    return float(np.quantile(masks.distances, 0.95))


REGION_MEASURES = (
    RegionMeasure("dice", "Dice", dice, "of the region's voxels, as in BraTS until 2022"),
    RegionMeasure(
        "lesion_dice",
        "lesion-wise Dice",
        lesion_dice,
        f"mean over the true lesions of more than {SMALLEST_LESION:g} mm³, as in BraTS 2023 (adult glioma); 0 for a "
        f"missed lesion and for each island more than {NEAR} voxels from any; parts with up to {2 * NEAR} voxels "
        "between them are one lesion",
        of_volumes=True,
    ),
    RegionMeasure(
        "nsd",
        f"NSD at {TOLERANCE:g} mm",
        nsd,
        f"share of both surfaces' voxels within {TOLERANCE:g} mm of the other surface",
        of_volumes=True,
    ),
    RegionMeasure(
        "hd95",
        "HD95 (pooled)",
        hd95,
        f"95th percentile of both surfaces' distances together; {WORST_DISTANCE:.2f} mm where one of them is empty",
        unit="mm",
        digits=1,
        of_volumes=True,
    ),
)


def judge_regions(
    prediction: torch.Tensor | np.ndarray,
    truth: torch.Tensor | np.ndarray,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
    classes: int = 4,
    whole: bool = True,
) -> dict[str, dict[str, float]]:
    """The measures of WT, TC and ET in one volume.

    Args:
        prediction: class indices, shape (X, Y, Z).
        truth: class indices, the same shape.
        spacing: of the voxels in mm.
        classes: of the network, background included; with five, the resection cavity is judged too.
        whole: all slices are there; otherwise the measures of whole volumes are NaN.

    Returns:
        ``{"WT": {"dice": 0..1, "hd95": mm, ...}, "TC": ..., "ET": ...}``, and ``RC`` of five classes.

    Raises:
        ValueError: the shapes differ.
    """
    predicted, true = torch.as_tensor(prediction), torch.as_tensor(truth)
    if predicted.shape != true.shape or true.ndim != 3:
        raise ValueError(f"two volumes of one shape are needed, not {tuple(predicted.shape)} and {tuple(true.shape)}")
    spacing = [round(float(size), 4) for size in spacing]  # 1 mm, where a header says 1.0000001
    box = _bounding_box((predicted > 0) | (true > 0))
    regions = regions_of(classes)
    masks = zip(regions, *(to_regions(volume[box], regions=regions) for volume in (predicted, true)), strict=True)
    return {region: _judge(RegionMasks(ours, theirs, spacing), whole) for region, ours, theirs in masks}


def _judge(masks: RegionMasks, whole: bool) -> dict[str, float]:
    return {
        measure.name: measure.of(masks) if whole or not measure.of_volumes else float("nan")
        for measure in REGION_MEASURES
    }


def _bounding_box(mask: torch.Tensor) -> tuple[slice, ...]:
    """Where anything is, or a single voxel of background: outside it nothing changes any measure."""
    first, end = generate_spatial_bounding_box(mask[None])
    return tuple(slice(int(low), max(int(high), 1)) for low, high in zip(first, end, strict=True))
