"""Prepared cases as the items of a data set: slices for training, volumes for validation."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import MapTransform, Transform

from common.transforms.cases import Case
from common.transforms.geometry import BrainGeometry
from common.transforms.shared_items import Item, split_indices


def brain_slice_items(cases: Iterable[Case]) -> list[Item]:
    """An item for each axial slice of each case: of the brain's box, or those that a slice-level split names.

    ``tumour`` says whether the slice shows any; ``slice`` counts from the first slice of the whole volume in working
    orientation.

    Args:
        cases: of :func:`~common.transforms.brain.cache.prepare_brains`.

    Returns:
        One item per slice.

    Raises:
        SplitError: a slice-level split names a slice that the volume does not have.
    """
    return [
        {**_core(case), "slice": index, "tumour": bool(sum(case["tumour_voxels"][index]))}
        for case in cases
        for index in _slice_indices(case)
    ]


def brain_items(cases: Iterable[Case]) -> list[Item]:
    """Volumes for validation.

    Returns:
        One item per case; ``slices`` are those of :func:`brain_slice_items`.
    """
    return [{**_core(case), "slices": list(_slice_indices(case)), "whole": "slices" not in case} for case in cases]


def brain_slices_per_subject(cases: Iterable[Case]) -> dict[str, int]:
    """How many axial slices each case has, for splits over slices.

    Returns:
        The number under each subject or scan.
    """
    return {case["subject"]: case["geometry"]["shape"][2] for case in cases}


def read_planes(path: str, indices: Sequence[int], geometry: BrainGeometry, whole_slice: bool = False) -> np.ndarray:
    """Axial slices of a prepared case, through its memory map.

    Args:
        path: of its slices (z, channel, y, x) or its mask (z, y, x), within the box.
        indices: along z of the whole volume; zero outside the box.
        geometry: the box.
        whole_slice: put the box back into the whole slice.

    Returns:
        (n, channel, y, x).
    """
    stored = np.load(path, mmap_mode="r")
    stored = stored.reshape(len(stored), -1, *stored.shape[-2:])
    first, end = geometry.start[2], geometry.stop[2]
    box_x, box_y, _ = geometry.box
    height, width = (geometry.shape[1], geometry.shape[0]) if whole_slice else stored.shape[-2:]
    planes = np.zeros((len(indices), stored.shape[1], height, width), dtype=stored.dtype)
    target = planes[:, :, box_y, box_x] if whole_slice else planes
    for row, index in enumerate(indices):
        if first <= index < end:
            target[row] = stored[index - first]
    return planes


class LoadBraind(Transform):
    """Read an item's slice, or stack of slices, through the memory map of its prepared case.

    Adds ``image``, float32 (channel, x, y) for a slice and (channel, x, y, n) for n slices, and ``label`` of the same
    form with one channel of class indices.

    Args:
        whole_slice: put the brain's box back into the whole slice, as P3's recipe has it.
    """

    def __init__(self, whole_slice: bool = False) -> None:
        self.whole_slice = whole_slice

    def __call__(self, data: Mapping[Any, Any]) -> Item:
        item = cast(Item, dict(data))
        one = "slice" in item
        indices = [item["slice"]] if one else item["slices"]
        geometry = BrainGeometry.from_dict(item["geometry"])
        read = partial(_read_stack, indices=indices, geometry=geometry, whole_slice=self.whole_slice, one=one)
        if item.get("cached"):
            item["image"] = read(item["cached"])
        if item.get("cached_mask"):
            item["label"] = read(item["cached_mask"])
        return item


class OneHotd(MapTransform):
    """Class indices (1, …) to one channel per class, so that interpolating them gives P3's soft masks."""

    def __init__(self, keys: str, num_classes: int) -> None:
        super().__init__(keys)
        self.num_classes = num_classes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            classes = torch.as_tensor(item[key])[0].long()
            item[key] = torch.nn.functional.one_hot(classes, self.num_classes).movedim(-1, 0).float()
        return item


def _read_stack(
    path: str, indices: Sequence[int], geometry: BrainGeometry, whole_slice: bool, one: bool
) -> torch.Tensor:
    """float32 (channel, x, y) of one slice, (channel, x, y, n) of several."""
    stack = torch.from_numpy(read_planes(path, indices, geometry, whole_slice)).permute(1, 3, 2, 0).float()
    return stack[..., 0] if one else stack


def _core(case: Case) -> Item:
    item = cast(Item, {key: case.get(key) for key in ("subject", "cached", "cached_mask", "geometry")})
    return {**item, "scan": case["scan"]} if case.get("scan") else item


def _slice_indices(case: Case) -> Sequence[int]:
    geometry = case["geometry"]
    if "slices" not in case:
        return range(geometry["start"][2], geometry["stop"][2])
    return split_indices(case, "slices", "slice", geometry["shape"][2])
