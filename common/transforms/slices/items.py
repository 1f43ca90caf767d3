"""Prepared slices as the items of a data set: one per case, or one per modality of a case."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform

from common.transforms.shared_items import Item, clinical_as_tensor


class LoadSlicesd(Transform):
    """Read an item's slices: ``image``, float32 (modality * slice, x, y), or (slice, x, y) of its ``modality``.

    The channels are the slices of the first modality, lowest first, then those of the second. ``clinical`` becomes
    float32 (n,).
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = clinical_as_tensor(cast(Item, dict(data)))
        stored = np.load(item["cached"], mmap_mode="r")
        if "modality" in item:
            stored = stored[item["modality"]]
        planes = stored.reshape(-1, *stored.shape[-2:]).astype(np.float32)
        item["image"] = torch.from_numpy(planes).transpose(1, 2)
        return item
