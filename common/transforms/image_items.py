"""Prepared slices as the items of a data set: a case each, or each of its modalities as an image of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from monai.transforms import Transform

from common.errors import Problem, SplitError
from common.transforms.cases import Case
from common.transforms.items import Item, case_facts, clinical_as_tensor, split_indices


def image_items(cases: Iterable[Case], per_modality: bool = False) -> list[Item]:
    """An item for each case of :func:`~common.transforms.slice_cache.prepare_slices`, or of
    :func:`~common.transforms.resampled_cache.prepare_volumes`.

    Args:
        cases: with ``images`` where an image-level split names the modalities of a case that are on its side.
        per_modality: an item for each modality of each case, its index in ``modality`` (P1: 152 patients make 608
            images).

    Raises:
        SplitError: a split over images without ``per_modality``, or with a modality that the case does not have.
    """
    cases = list(cases)
    if not per_modality:
        if any("images" in case for case in cases):
            what = "it is over single modalities, and each patient's modalities are taken together"
            raise SplitError(Problem(what, "the split", "Split patients, or take each modality as an image."))
        return [case_facts(case, "cached") for case in cases]
    return [
        {**case_facts(case, "cached"), "modality": index}
        for case in cases
        for index in (
            split_indices(case, "images", "modality", len(case["modalities"]))
            if "images" in case
            else range(len(case["modalities"]))
        )
    ]


class LoadSlicesd(Transform):
    """Read an item's slices: ``image``, float32 (modality * slice, x, y), or (slice, x, y) of its ``modality``.

    The channels are the slices of the first modality, lowest first, then those of the second. ``clinical`` becomes
    float32 (n,).
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = clinical_as_tensor(dict(data))
        stored = np.load(item["cached"], mmap_mode="r")
        if "modality" in item:
            stored = stored[item["modality"]]
        planes = stored.reshape(-1, *stored.shape[-2:]).astype(np.float32)
        item["image"] = torch.from_numpy(planes).transpose(1, 2)
        return item
