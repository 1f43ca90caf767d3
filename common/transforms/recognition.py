"""At inference: a scan that the weights were trained on is told, whatever its patient is called."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from common.splits.guard import knows_scan
from common.transforms.shared_items import Item

logger = logging.getLogger(__name__)


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
        name = item.get("scan") or item.get("subject") or "the patient"
        logger.warning("%s: this scan was trained on, so its result says nothing about new patients.", name)
