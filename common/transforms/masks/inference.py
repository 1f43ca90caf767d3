"""A patient's mask as a bag of slices, at inference."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from common.errors import DatasetError, Problem
from common.records import BRATS_MASK_VALUES, Record
from common.transforms.masks.items import tumour_channels
from common.transforms.preparation import prepare_mask, spacing_problem
from common.transforms.reading import NAMELESS
from common.transforms.shared_items import Item


class LoadMaskd(MapTransform):
    """Read the mask file under ``seg`` into ``mask``: class indices of the whole volume, uint8 (x, y, z) in LPS.

    Args:
        mask_values: how NCR, ED and ET are stored, unless the item says so itself.
        spacing: voxel size in mm that the network was trained on; only x and y are compared; ``None`` where that is
            not known.

    Raises:
        DatasetError: there is no mask, it is empty, damaged, holds unknown labels, or pixels have another size.
    """

    def __init__(self, mask_values: Sequence[int] = BRATS_MASK_VALUES, spacing: Sequence[float] | None = None) -> None:
        super().__init__("seg")
        self.mask_values, self.spacing = list(mask_values), spacing

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        record: Record = {"subject": NAMELESS, "mask_values": self.mask_values}
        record |= cast(Record, {str(key): value for key, value in item.items() if value is not None})
        classes, geometry = prepare_mask(record)
        problems = spacing_problem(geometry.spacing[:2], self.spacing and self.spacing[:2], record["subject"])
        if problems:
            raise DatasetError(problems)
        item["mask"] = torch.from_numpy(geometry.whole(classes.T))
        return item


class MaskBagd(MapTransform):
    """Turn a volume of class indices under ``key`` into a bag of its slices with tumour.

    Adds ``image``, float32 (n, 3, x, y) with the channels NCR, ED and ET, and ``slices``, int64 (n,), which they are;
    the volume is dropped.

    Args:
        key: holds class indices (x, y, z) in LPS.
        transform: what training does to the ``image`` of a single slice after loading it, such as resizing; it is
            called with a dict that holds nothing else.

    Raises:
        DatasetError: no slice shows tumour.
    """

    def __init__(
        self, key: str = "mask", transform: Callable[[dict[str, Any]], Mapping[Any, Any]] | None = None
    ) -> None:
        super().__init__(key)
        self.key, self.transform = key, transform

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        given = dict(data)
        classes = np.asarray(given.pop(self.key))
        item = cast(Item, given)
        slices = np.flatnonzero(classes.any(axis=(0, 1)))
        if not len(slices):
            hint = "Check the images and the mask; survival cannot be predicted from a mask without tumour."
            subject = str(item.get("subject", "the patient"))
            raise DatasetError(Problem("no slice of the mask shows tumour", subject, hint))
        item["image"] = MetaTensor(torch.stack([self._one(classes[..., index]) for index in slices]))
        item["slices"] = torch.from_numpy(slices)
        return item

    def _one(self, plane: np.ndarray) -> torch.Tensor:
        image: Any = tumour_channels(plane)
        if self.transform is not None:
            image = self.transform({"image": image})["image"]
        return convert_to_tensor(image, track_meta=False)
