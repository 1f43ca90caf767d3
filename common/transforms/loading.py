"""A patient's modalities from their files, for every view of a volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Transform

from common.formats.voxel_hashes import hash_each
from common.records import MODALITIES, Record, value_of
from common.transforms.reading import read_case
from common.transforms.recognition import tell_trained_on
from common.transforms.shared_items import Item


class LoadImageModalitiesd(Transform):
    """Read a patient's modalities into ``image``, a MetaTensor (channel, x, y, z) as stored.

    Args:
        modalities: keys of the files, in the order of the channels; an item with ``image`` has them all in one file.
        missing_modality: ``error``, or ``zero`` to go on without an absent one.
        provenance: of the weights, to tell a scan that they were trained on; the item then has ``trained_on``, ``yes``
            or ``no``.
    """

    def __init__(
        self,
        modalities: Sequence[str] = MODALITIES,
        missing_modality: str = "error",
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        self.modalities, self.missing_modality = tuple(modalities), missing_modality
        self.provenance = provenance

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        record = cast(Record, {str(key): value for key, value in item.items()})
        volumes = read_case(record, self.modalities, self.missing_modality)
        path = next(value_of(item, key) for key in ("image", *self.modalities) if item.get(key))
        first = next(iter(volumes.values()))
        stack = np.stack([volume.array for volume in volumes.values()])
        meta = {"affine": torch.from_numpy(first.affine), "filename_or_obj": str(path)}
        item["image"] = MetaTensor(torch.from_numpy(stack), meta=meta)
        if self.provenance:
            images = {name: volume.array for name, volume in volumes.items()}
            tell_trained_on(item, self.provenance, hash_each(images, first.affine))
        return item
