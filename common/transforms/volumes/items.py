"""Prepared volumes as the items of a data set."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform

from common.transforms.shared_items import Item


class LoadVolumed(Transform):
    """Read an item's volume from the cache: ``image``, float32 (channel, x, y, z) in LPS."""

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        item["image"] = torch.from_numpy(np.load(item["cached"]).astype(np.float32))
        return item
