"""Prepared series as the items of a data set, a slice each; and the same slices from files, at inference."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.transforms import Transform
from monai.utils import convert_to_tensor

from common.transforms.cases import Case
from common.transforms.items import Item, case_facts, split_indices
from common.transforms.series_cache import SeriesPlan, take_series


def series_items(cases: Iterable[Case]) -> list[Item]:
    """An item for each slice of each case of :func:`~common.transforms.series_cache.prepare_series`.

    ``slice`` counts a case's prepared slices from 0. A case with ``slices`` gives those that a slice-level split names.

    Raises:
        SplitError: a slice-level split names a slice that the case does not have.
    """
    return [
        {**case_facts(case, "cached"), "slice": index}
        for case in cases
        for index in (split_indices(case, "slices", "slice", _depth(case)) if "slices" in case else range(_depth(case)))
    ]


def series_slices_per_subject(cases: Iterable[Case]) -> dict[str, int]:
    """How many prepared slices each case has, for splits over slices."""
    return {case["subject"]: _depth(case) for case in cases}


class LoadSeriesSliced(Transform):
    """Read an item's slice through the memory map of its prepared case: ``image``, float32 (modality, x, y)."""

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = dict(data)
        stored = np.load(item["cached"], mmap_mode="r")
        item["image"] = torch.from_numpy(stored[item["slice"]].astype(np.float32))
        return item


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
    ) -> None:
        self.plan = SeriesPlan.read(modalities, slices_per_subject, size, central_share)
        self.transform = transform

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = dict(data)
        folders = {key: str(item[key]) for key in self.plan.modalities if item.get(key)}
        taken, _ = take_series(folders, str(item["subject"]), self.plan)
        item["image"] = torch.stack([self._one(plane) for plane in taken])
        return item

    def _one(self, plane: np.ndarray) -> torch.Tensor:
        image: Any = torch.from_numpy(plane.astype(np.float32))
        if self.transform is not None:
            image = self.transform({"image": image})["image"]
        return convert_to_tensor(image, track_meta=False)


def _depth(case: Case) -> int:
    return int(case["depth"])
