"""The slices of a patient whose images are in memory already, at inference."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from common.errors import DatasetError
from common.transforms.preparation import spacing_problem
from common.transforms.requests import meta_of_view, patient_of
from common.transforms.shared_items import Item
from common.transforms.slices.plan import SlicePlan, take_slices


class TakeSlicesd(MapTransform):
    """Cut ``image`` (modality, x, y, z), as :class:`LoadImageModalitiesd` leaves it, to the slices of training.

    The result is float32 (modality * slice, x, y), bit for bit what ``prepare_slices`` and ``LoadSlicesd`` make of the
    same files; its metadata keep ``geometry`` and ``positions`` (JSON). The settings are those of
    :class:`~common.transforms.slices.plan.SlicePlan`.

    Args:
        gap: millimetres between neighbouring slices.
        centre: millimetres from the centre to the middle slice, upwards.
        count: how many slices.
        intensity: ``z_score`` or ``clip``.
        orientation: axes of the slices.
        centre_of: ``brain`` or ``volume``.
        per_modality: leave a bag of images instead, (modality, slice, x, y).
        spacing: voxel size in mm that the network was trained on; only x and y are compared; ``None`` where that is
            not known.

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: every voxel is zero, a slice lies outside the brain, or pixels have another size.
    """

    def __init__(
        self,
        gap: float = 30.0,
        centre: float = 0.0,
        count: int = 3,
        intensity: str = "z_score",
        orientation: str = "RAS",
        centre_of: str = "brain",
        per_modality: bool = False,
        spacing: Sequence[float] | None = None,
    ) -> None:
        super().__init__("image")
        self.plan = SlicePlan(gap, centre, count, intensity, orientation, centre_of)
        self.per_modality, self.spacing = per_modality, spacing

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        image = item["image"]
        meta, subject = meta_of_view(image), patient_of(item)
        slices, positions, geometry = take_slices(list(image.numpy()), np.asarray(image.affine), self.plan, subject)
        problems = spacing_problem(geometry.spacing[:2], self.spacing and self.spacing[:2], subject)
        if problems:
            raise DatasetError(problems)
        meta |= {"geometry": json.dumps(geometry.to_dict()), "positions": json.dumps(positions)}
        bag = torch.from_numpy(slices.astype(np.float32)).transpose(2, 3)
        item["image"] = MetaTensor(bag if self.per_modality else bag.flatten(0, 1), meta=meta)
        return item
