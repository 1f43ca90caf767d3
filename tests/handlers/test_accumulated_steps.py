"""MONAI's gradient accumulation as the bundles use it: batches of one, a last window that is short, and resuming."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.engines.workflow import Workflow

from common.handlers import TrainingState
from common.networks import BatchCrossEntropy

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


class Learner:
    """A network of two weights, whose logits for the image 1 they are, on labels 0, 1 and 0 of weights 0.8 and 0.2."""

    def __init__(self, accumulated: int, optimizer: type[torch.optim.Optimizer] = torch.optim.SGD) -> None:
        self.network = torch.nn.Linear(1, 2, bias=False)
        torch.nn.init.zeros_(self.network.weight)
        self.optimizer = optimizer(self.network.parameters(), lr=1.0)
        self.seen: list[float] = []
        items = [{"image": torch.ones(1, 1), "label": torch.tensor([label])} for label in (0, 1, 0)]
        self.trainer = SupervisedTrainer(
            device=torch.device("cpu"),
            max_epochs=1,
            train_data_loader=items,
            network=self.network,
            optimizer=self.optimizer,
            loss_function=BatchCrossEntropy(torch.tensor([0.8, 0.2]), natural=False),
            accumulation_steps=accumulated,
        )
        self.trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda _: self.seen.append(self.weight))

    @property
    def weight(self) -> float:
        return float(self.network.weight[0, 0])


def test_a_step_takes_the_mean_and_a_short_window_its_share_of_one() -> None:
    """By hand: (-0.5 * 0.8 + 0.5 * 0.2) / 2 = -0.15; then 0.8 (sigmoid(0.3) - 1) / 2, where the epoch ends."""
    learner = Learner(accumulated=2)
    learner.trainer.run()
    first = 0.15
    last = first + 0.4 * (1 - 1 / (1 + math.exp(-0.3)))
    assert learner.seen == pytest.approx([0, first, last], abs=1e-6)


def test_one_is_a_step_a_volume() -> None:
    learner = Learner(accumulated=1)
    learner.trainer.run()
    assert learner.seen[0] == pytest.approx(0.4)
    assert len(set(learner.seen)) == 3


def trained(folder: Path, epochs: int, resume: bool) -> float:
    learner = Learner(accumulated=2, optimizer=torch.optim.Adam)
    learner.trainer.state.max_epochs = epochs
    evaluator: Any = Workflow(device="cpu", max_epochs=1, data_loader=[0])
    scheduler = torch.optim.lr_scheduler.ConstantLR(learner.optimizer, factor=1)
    weights = folder / "model.pt"
    state = TrainingState(evaluator, learner.network, learner.optimizer, scheduler, weights, {}, resume=resume)
    state.attach(learner.trainer)
    learner.trainer.run()
    return learner.weight


def test_a_run_that_is_resumed_ends_where_the_unbroken_one_does(tmp_path: Path) -> None:
    unbroken = trained(tmp_path / "unbroken", 3, resume=False)
    assert trained(tmp_path / "broken", 1, resume=False) != pytest.approx(unbroken)
    assert trained(tmp_path / "broken", 3, resume=True) == pytest.approx(unbroken, rel=1e-6)
