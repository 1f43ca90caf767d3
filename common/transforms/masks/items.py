"""Tumour masks as images: one item per axial slice, its three classes as channels (P3, section 4.2.1)."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform

from common.knobs import as_bool
from common.records import scan_of
from common.transforms.brain.items import read_planes
from common.transforms.cases import Case
from common.transforms.geometry import BrainGeometry
from common.transforms.shared_items import Item, case_facts, clinical_as_tensor, split_indices

TUMOUR_INDICES = (1, 2, 3)
"""NCR, ED and ET."""

logger = logging.getLogger(__name__)


def mask_items(cases: Iterable[Case], empty_slices: bool | str = False) -> list[Item]:
    """The axial slices with tumour of each case, or those that a slice-level split names.

    ``slice`` counts from the first slice of the whole volume in working orientation; ``tumour`` says whether it shows
    any. A case without any tumour (the network found none) keeps all its slices, and is logged.

    Args:
        cases: with masks, true or predicted.
        empty_slices: also take slices without tumour, of the whole volume.

    Returns:
        One item per slice.

    Raises:
        SplitError: a slice-level split names a slice that the volume does not have.
    """
    cases, every = list(cases), as_bool(empty_slices, "empty_slices")
    without = [scan_of(case) for case in cases if not np.any(case["tumour_voxels"])]
    if without and not every:
        logger.warning("No tumour in the masks of %s: all their slices are taken, empty ones.", ", ".join(without))
    return [
        {**case_facts(case, "cached_mask", "geometry"), "slice": index, "tumour": tumour}
        for case in cases
        for index, tumour in _slices_of(case, every)
    ]


def _slices_of(case: Case, empty_slices: bool) -> list[tuple[int, bool]]:
    """The slices to take of a case, and whether they show tumour."""
    shows = [bool(sum(voxels)) for voxels in case["tumour_voxels"]]
    every = empty_slices or not any(shows)
    indices: Sequence[int] = range(len(shows))
    if "slices" in case:
        indices = split_indices(case, "slices", "slice", len(shows))
    return [(index, shows[index]) for index in indices if every or shows[index]]


class LoadMaskSliced(Transform):
    """Read an item's slice: ``image``, float32 (3, x, y), one where NCR, ED and ET are, of the whole slice.

    ``clinical`` becomes float32 (n,); ``shares`` are those of the pixels in each channel, float32 (3,).
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = clinical_as_tensor(cast(Item, dict(data)))
        geometry = BrainGeometry.from_dict(item.pop("geometry"))
        plane = read_planes(item["cached_mask"], [item["slice"]], geometry, whole_slice=True)[0, 0]
        item["image"] = tumour_channels(plane.T)
        item["shares"] = item["image"].mean(dim=(1, 2))
        return item


def tumour_channels(classes: np.ndarray) -> torch.Tensor:
    """Class indices of a slice (x, y) to binary channels NCR, ED and ET, float32 (3, x, y)."""
    return torch.from_numpy(np.stack([classes == index for index in TUMOUR_INDICES]).astype(np.float32))
