"""Random numbers that depend on (seed, epoch) alone, so that a resumed run equals an uninterrupted one."""

from __future__ import annotations

import random

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events

from common.transforms.training_dataset import TrainingDataset

SEED_RANGE = 2**32


class EpochSeed:
    """Seeds Python, numpy, torch and the data set's random transforms when an epoch starts.

    Each process of a distributed run, and each loader process, gets a seed of its own.
    """

    def __init__(self, seed: int, dataset: TrainingDataset) -> None:
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
        self.dataset.start_epoch(seed)
