"""The samples of an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ignite.distributed as idist
from monai.data import Dataset, DistributedSampler, DistributedWeightedRandomSampler

from common.errors import DatasetError, KnobError, Problem


def epoch_sampler(
    dataset: Dataset, samples_per_epoch: int | None = None, tumour_share: float | None = None, seed: int = 0
) -> DistributedSampler:
    """A sampler over slices or images, divided between the processes of a distributed run.

    Args:
        dataset: its ``data`` are items, with ``tumour`` where a share of them is asked for.
        samples_per_epoch: how many to draw, with replacement, over all processes; ``None`` shows every sample once.
        tumour_share: share of the samples drawn that show tumour; ``None`` draws all with the same probability.
        seed: of the order and of the division between the processes; the epoch is added to it. Draws come from torch's
            generator, which :class:`common.handlers.EpochSeed` seeds.

    Raises:
        KnobError: the share is not between 0 and 1.
        DatasetError: slices with tumour are asked for and there are none, or only others and there are none.
    """
    size, rank = idist.get_world_size(), idist.get_rank()
    if not samples_per_epoch:
        return DistributedSampler(dataset, num_replicas=size, rank=rank, shuffle=True, even_divisible=True, seed=seed)
    items = dataset.data
    return DistributedWeightedRandomSampler(
        dataset,
        weights=[1.0] * len(items) if tumour_share is None else tumour_weights(items, tumour_share),
        num_samples_per_rank=max(1, samples_per_epoch // size),
        num_replicas=size,
        rank=rank,
        seed=seed,
    )


def tumour_weights(items: Sequence[dict[str, Any]], tumour_share: float) -> list[float]:
    """One weight per slice, so that ``tumour_share`` of the slices drawn show tumour."""
    if not 0 <= tumour_share <= 1:
        hint = "Choose a share from 0 (none) to 1 (all)."
        raise KnobError(Problem(f"{tumour_share} is no share", "--tumour_share", hint))
    with_tumour = sum(item["tumour"] for item in items)
    without = len(items) - with_tumour
    if tumour_share > 0 and with_tumour == 0:
        hint = "Check the masks with scripts/check_dataset.py."
        raise DatasetError(Problem("no slice of the training side shows tumour", "training side", hint))
    if tumour_share == 0 and without == 0:
        hint = "Choose a larger --tumour_share."
        raise DatasetError(Problem("every slice of the training side shows tumour", "training side", hint))
    weights = (tumour_share / max(with_tumour, 1), (1 - tumour_share) / max(without, 1))
    return [weights[0] if item["tumour"] else weights[1] for item in items]
