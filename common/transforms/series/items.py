"""The slices of prepared series as the items of a data set."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform

from common.transforms.cases import Case
from common.transforms.shared_items import Item, case_facts, split_indices


def series_items(cases: Iterable[Case], per_modality: bool = False) -> list[Item]:
    """The slices of each case of :func:`~common.transforms.series.cache.prepare_series`.

    ``slice`` counts a case's prepared slices from 0. A case with ``slices`` gives those that a slice-level split names.

    Args:
        cases: to take them of.
        per_modality: a slice of one modality is a sample of its own: ``slice`` then counts the images of
            :func:`single_images`, ``plane`` is the prepared slice and ``modality`` the channel.

    Returns:
        One item per slice, or per slice and modality.

    Raises:
        SplitError: a slice-level split names a slice that the case does not have.
    """
    return [
        {**case_facts(case, "cached"), **facts}
        for case in cases
        for facts in _chosen(case, _single(case) if per_modality else _whole(case))
    ]


def series_slices_per_subject(cases: Iterable[Case], per_modality: bool = False) -> dict[str, int]:
    """How many samples each case has, for splits over slices.

    Args:
        cases: to count in.
        per_modality: as of :func:`series_items`.

    Returns:
        The number under each subject.
    """
    return {case["subject"]: len(_single(case) if per_modality else _whole(case)) for case in cases}


def single_images(positions: Mapping[str, Sequence[int]], modalities: Sequence[str]) -> list[tuple[int, int]]:
    """The images of a patient whose modalities are samples of their own, modality by modality.

    A series that has fewer slices than another stands several times beside its slices, and counts each of its own once;
    one that is absent counts none.

    Args:
        positions: which slice of its series each prepared slice is, by modality.
        modalities: in the order of the channels.

    Returns:
        The prepared slice and the channel of each.
    """
    return [
        (place, channel)
        for channel, modality in enumerate(modalities)
        for place, position in enumerate(positions.get(modality, ()))
        if position not in positions[modality][:place]
    ]


class LoadSeriesSliced(Transform):
    """Read an item's slice through the memory map of its prepared case: ``image``, float32 (modality, x, y).

    Of an item with ``modality`` it is that one alone, (1, x, y).
    """

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        stored = np.load(item["cached"], mmap_mode="r")[item.get("plane", item["slice"])]
        if "modality" in item:
            stored = stored[item["modality"]][None]
        item["image"] = torch.from_numpy(stored.astype(np.float32))
        return item


def _whole(case: Case) -> list[Item]:
    return [{"slice": index} for index in range(int(case["depth"]))]


def _single(case: Case) -> list[Item]:
    images = single_images(case["positions"], case["modalities"])
    return [{"slice": index, "plane": plane, "modality": modality} for index, (plane, modality) in enumerate(images)]


def _chosen(case: Case, samples: list[Item]) -> list[Item]:
    """Those that a slice-level split names, or all."""
    if "slices" not in case:
        return samples
    return [samples[index] for index in split_indices(case, "slices", "slice", len(samples))]
