"""The slices of a patient's series from their files, at inference."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform
from monai.utils import convert_to_tensor

from common.records import value_of
from common.transforms.recognition import tell_trained_on
from common.transforms.series.plan import SeriesPlan, take_series
from common.transforms.shared_items import Item


class TakeSeriesd(Transform):
    """Take the slices of a patient's series from their files: ``image``, a bag float32 (slice, modality, x, y).

    Bit for bit what ``prepare_series`` and :class:`LoadSeriesSliced` make of the same folders with the same settings.

    Args:
        modalities: in the order of the channels; the item has the folder of each series under its name.
        slices_per_subject: as for ``prepare_series``, like the next two.
        size: pixels along x and y.
        central_share: the middle part of each series that slices are taken from.
        transform: what training does to the ``image`` of a single slice after loading it; it is called with a dict
            that holds nothing else.
        provenance: of the weights, to tell a scan that they were trained on; the item then has ``trained_on``, ``yes``
            or ``no``.

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: everything that is wrong with the patient's series, in one error.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        slices_per_subject: int = 16,
        size: Sequence[int] = (224, 224),
        central_share: float = 0.6,
        transform: Callable[[dict[str, Any]], Mapping[Any, Any]] | None = None,
        provenance: Mapping[str, Any] | None = None,
    ) -> None:
        self.plan = SeriesPlan.read(modalities, slices_per_subject, size, central_share)
        self.transform, self.provenance = transform, provenance

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        folders = {key: str(value_of(item, key)) for key in self.plan.modalities if item.get(key)}
        taken, content = take_series(folders, str(item["subject"]), self.plan)
        item["image"] = torch.stack([self._one(plane) for plane in taken])
        tell_trained_on(item, self.provenance, content["voxel_hashes"])
        return item

    def _one(self, plane: np.ndarray) -> torch.Tensor:
        image: Any = torch.from_numpy(plane.astype(np.float32))
        if self.transform is not None:
            image = self.transform({"image": image})["image"]
        return convert_to_tensor(image, track_meta=False)
