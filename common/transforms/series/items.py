"""The slices of prepared series as the items of a data set."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, cast

import numpy as np
import torch
from monai.transforms import Transform

from common.transforms.cases import Case
from common.transforms.shared_items import Item, case_facts, split_indices


def series_items(cases: Iterable[Case]) -> list[Item]:
    """The slices of each case of :func:`~common.transforms.series.cache.prepare_series`.

    ``slice`` counts a case's prepared slices from 0. A case with ``slices`` gives those that a slice-level split names.

    Returns:
        One item per slice.

    Raises:
        SplitError: a slice-level split names a slice that the case does not have.
    """
    return [
        {**case_facts(case, "cached"), "slice": index}
        for case in cases
        for index in (split_indices(case, "slices", "slice", _depth(case)) if "slices" in case else range(_depth(case)))
    ]


def series_slices_per_subject(cases: Iterable[Case]) -> dict[str, int]:
    """How many prepared slices each case has, for splits over slices.

    Returns:
        The number under each subject.
    """
    return {case["subject"]: _depth(case) for case in cases}


class LoadSeriesSliced(Transform):
    """Read an item's slice through the memory map of its prepared case: ``image``, float32 (modality, x, y)."""

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = cast(Item, dict(data))
        stored = np.load(item["cached"], mmap_mode="r")
        item["image"] = torch.from_numpy(stored[item["slice"]].astype(np.float32))
        return item


def _depth(case: Case) -> int:
    return int(case["depth"])
