"""The data set of a training side: random transforms are seeded at each epoch, also in processes that continue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from monai.data import Dataset, get_track_meta, set_track_meta
from monai.data.utils import set_rnd
from torch.utils.data import get_worker_info


class TrainingDataset(Dataset):
    """MONAI's :class:`~monai.data.Dataset` for training.

    Its random transforms take the seed of the epoch, which reaches loader processes through shared memory, so that they
    need not be started for each epoch: that costs a tenth of a second each. Tensors have no metadata in the transforms,
    which would take almost half of a slice's time.

    Args:
        data: items.
        transform: of an item.
    """

    def __init__(self, data: Sequence[Any], transform: Callable[..., Any]) -> None:
        super().__init__(data, transform)
        self.epoch_seed = torch.full((1,), -1, dtype=torch.int64).share_memory_()
        self.seeded_with = -1

    def start_epoch(self, seed: int) -> None:
        """From the next item on, in every process, draw from ``seed``, which is not negative."""
        self.epoch_seed.fill_(seed)
        self.seeded_with = -1

    def _transform(self, index: int) -> Any:
        seed = int(self.epoch_seed)
        if seed != self.seeded_with:
            set_rnd(self.transform, _process_seed(seed))
            self.seeded_with = seed
        with _without_metadata():
            return super()._transform(index)


def _process_seed(seed: int) -> int:
    """Each loader process has its own stream of random numbers."""
    worker = get_worker_info()
    return int(np.random.SeedSequence([seed, worker.id]).generate_state(1)[0]) if worker else seed


@contextmanager
def _without_metadata() -> Iterator[None]:
    before = get_track_meta()
    set_track_meta(False)
    try:
        yield
    finally:
        set_track_meta(before)
