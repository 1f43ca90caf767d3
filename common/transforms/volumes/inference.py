"""The volume of a patient whose images are in memory already, at inference."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from common.cache_folder import default_cache_dir
from common.cohorts.brains.extraction import add_brain_masks
from common.cohorts.brains.masks import find_brain_mask, is_stripped
from common.records import Record
from common.transforms.requests import meta_of_view, patient_of
from common.transforms.shared_items import Item
from common.transforms.volumes.plan import SIZE, SPACING, VolumePlan, take_volume


class TakeVolumed(MapTransform):
    """Bring ``image`` (modality, x, y, z), as :class:`LoadImageModalitiesd` leaves it, to the voxels of training.

    The result is float32 (modality, x, y, z) in LPS, bit for bit what ``prepare_volumes`` and
    :class:`LoadVolumed` make of the same files. The item keeps the grid in ``geometry`` (JSON) and the
    file that the volume came from in ``volume_file``.

    The brain is where the item's ``brain_mask`` says. A head without one, as it comes from a viewer, gets the mask
    beside its file, or that of HD-BET or deepbet.

    Args:
        size: voxels along x, y and z.
        spacing: mm between them.
        brain_extraction: as for ``prepare_volumes``.
        cache_dir: where masks of HD-BET and deepbet are kept; ``None`` for the user's cache folder.

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: a head has no mask; the mask is damaged, or on another grid; or no voxel is brain.
    """

    def __init__(
        self,
        size: Sequence[int] = SIZE,
        spacing: float = SPACING,
        brain_extraction: str = "auto",
        cache_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__("image")
        self.plan = VolumePlan.read(size, spacing)
        self.brain_extraction, self.cache_dir = brain_extraction, cache_dir

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        image = item["image"]
        file = str(image.meta.get("filename_or_obj", "image"))
        channels, affine = list(image.numpy()), np.asarray(image.affine)
        mask = item.get("brain_mask") or self._find_mask(channels[0], affine, file)
        volume, grid = take_volume(channels, affine, mask, self.plan, patient_of(item))
        item["image"] = MetaTensor(torch.from_numpy(volume.astype(np.float32)), meta=meta_of_view(image))
        item |= {"geometry": json.dumps(grid.to_dict()), "volume_file": file}
        return item

    def _find_mask(self, array: np.ndarray, affine: np.ndarray, file: str) -> str | None:
        if self.brain_extraction == "none" or is_stripped(array, affine):
            return None
        beside = find_brain_mask(file) if self.brain_extraction == "auto" else None
        record: Record = {"subject": file, "image": file}
        if beside:
            record["brain_mask"] = beside
        return add_brain_masks([record], self.cache_dir or default_cache_dir(), (), self.brain_extraction)[0].get(
            "brain_mask"
        )
