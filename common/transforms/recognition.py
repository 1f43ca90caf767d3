"""At inference: a scan that the weights were trained on is told, whatever its patient is called."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from monai.transforms import MapTransform

from common.formats.voxel_hashes import VoxelHashes, hash_each
from common.splits.guard import knows_scan
from common.transforms.geometry import find_brain
from common.transforms.requests import patient_of
from common.transforms.shared_items import Item

logger = logging.getLogger(__name__)


class RecogniseScand(MapTransform):
    """Tell whether the weights were trained on a scan; see :func:`tell_trained_on`.

    It takes the scan as its loader leaves it.

    Args:
        provenance: of the weights.
        key: ``image``, a MetaTensor (modality, x, y, z), or of a single picture (channel, x, y); or ``mask``, class
            indices (x, y, z) in LPS.
    """

    def __init__(self, provenance: Mapping[str, Any] | None, key: str = "image") -> None:
        super().__init__(key)
        self.provenance, self.key = provenance, key

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        if self.provenance:
            hash_scan = _hash_mask if self.key == "mask" else _hash_image
            tell_trained_on(item, self.provenance, hash_scan(data[self.key]))
        return item


def tell_trained_on(
    item: Item, provenance: Mapping[str, Any] | None, hashes: Mapping[str, Sequence[str | None]]
) -> None:
    """Set ``trained_on`` of an item, ``yes`` or ``no``, and log it where it is so.

    Args:
        item: a patient.
        provenance: of the weights; nothing is set where it names no scans.
        hashes: of the patient's images as they are stored, by modality; see
            :class:`~common.formats.voxel_hashes.VoxelHashes`.
    """
    known = knows_scan(provenance or {}, [str(voxels) for voxels, _ in hashes.values()])
    if known is None:
        return
    item["trained_on"] = "yes" if known else "no"
    if known:
        logger.warning("%s: this scan was trained on, so its result says nothing about new patients.", patient_of(item))


def _hash_image(image: Any) -> dict[str, VoxelHashes]:
    array = np.asarray(image)
    if array.ndim == 4:
        return hash_each({str(place): channel for place, channel in enumerate(array)}, np.asarray(image.affine))
    return hash_each({"image": array[0].T if len(array) == 1 else array.transpose(2, 1, 0)})


def _hash_mask(mask: Any) -> dict[str, VoxelHashes]:
    """Of the tumour's box, as in the cache of masks."""
    array = np.asarray(mask)
    box = find_brain([array], np.eye(4), "RAS")
    return hash_each({"seg": array[box.box].T}) if box else {}
