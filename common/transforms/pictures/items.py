"""Single images to tensors: from the cache while training, from any file at inference, bit for bit the same."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform
from torch import Tensor

from common.transforms.shared_items import Item

BRIGHTEST = 255


class LoadPictured(Transform):
    """Read an item's ``cached`` image into ``image``, float32 (channel, x, y) from 0 to 1.

    Items are those of :func:`~common.transforms.slices.items` of the cases of
    :func:`~common.transforms.prepare_pictures`.
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        item["image"] = scaled(np.load(item["cached"]))
        return item


def scaled(image: np.ndarray) -> Tensor:
    """8 bits to float32 from 0 to 1."""
    return torch.from_numpy(image.astype(np.float32) / BRIGHTEST)
