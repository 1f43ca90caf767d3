from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import ignite.distributed as idist
import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.transforms import Compose, RandScaleIntensity

from common.handlers import EpochSeed
from common.transforms import TrainingDataset


def draws(epoch: int, seed: int = 0) -> tuple[Any, ...]:
    """What Python, numpy, torch and a random transform draw in an epoch."""
    dataset = TrainingDataset([torch.ones(1, 2, 2)], Compose([RandScaleIntensity(0.5, prob=1.0)]))
    engine: Any = SimpleNamespace(state=SimpleNamespace(epoch=epoch))
    EpochSeed(seed, dataset)(engine)
    legacy = np.random.random()  # noqa: NPY002
    drawn = random.random(), legacy, torch.rand(1).item(), float(dataset[0][0, 0, 0])
    torch.rand(3)
    return drawn


def test_an_epoch_draws_the_same_again() -> None:
    first = draws(epoch=4)
    draws(epoch=5)
    assert draws(epoch=4) == first


@pytest.mark.parametrize("other", [{"epoch": 5}, {"epoch": 4, "seed": 1}])
def test_epochs_and_seeds_draw_differently(other: dict[str, int]) -> None:
    assert not set(draws(epoch=4)) & set(draws(**other))


def test_processes_draw_differently(monkeypatch: pytest.MonkeyPatch) -> None:
    first = draws(epoch=4)
    monkeypatch.setattr(idist, "get_rank", lambda: 1)
    assert not set(draws(epoch=4)) & set(first)


def test_it_seeds_at_the_start_of_each_epoch() -> None:
    seen: list[float] = []
    dataset = TrainingDataset([0], str)
    for _ in range(2):
        engine = Engine(lambda engine, _: seen.append(torch.rand(1).item()))
        EpochSeed(0, dataset).attach(engine)
        engine.run([0], max_epochs=2)
    assert seen[0] != seen[1]
    assert seen[:2] == seen[2:]
