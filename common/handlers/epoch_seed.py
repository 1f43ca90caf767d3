"""Randomness that depends on nothing but (seed, epoch), so that a resumed run equals an unbroken one."""

from __future__ import annotations

import random

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events
from monai.data import Dataset
from monai.data.utils import set_rnd

SEED_RANGE = 2**32


class EpochSeed:
    """Seeds Python, numpy, torch and the data set's random transforms when an epoch starts.

    MONAI's loader seeds its transforms only once, at construction, when it has no worker processes; workers take their
    seed from torch's generator, which is seeded here too. Each process of a distributed run gets seeds of its own.
    """

    def __init__(self, seed: int, dataset: Dataset) -> None:
        self.seed, self.dataset = seed, dataset

    def attach(self, engine: Engine) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Seed everything for the epoch that starts."""
        sequence = np.random.SeedSequence([self.seed, engine.state.epoch, idist.get_rank()])
        seed = int(sequence.generate_state(1)[0]) % SEED_RANGE
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 (libraries draw from it)
        torch.manual_seed(seed)
        set_rnd(self.dataset, seed)
