from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from ignite.engine import Engine, Events
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from common.handlers import TrainingHistory, open_writer

RIGHT, WRONG = torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])


def step_of(loss: float, *predictions: torch.Tensor) -> list[dict[str, Any]]:
    """A step whose samples are all of class 1."""
    return [{"pred": pred, "label": torch.tensor(1), "loss": torch.tensor(loss)} for pred in predictions]


STEPS = [step_of(0.5, RIGHT, RIGHT, WRONG), step_of(0.9, WRONG)]


class Run:
    """A trainer of two steps an epoch, validated every second epoch."""

    def __init__(self, folder: Path, steps: list[Any] = STEPS) -> None:
        self.trainer = Engine(lambda _, number: steps[number])
        self.evaluator = Engine(lambda *_: None)
        self.writer = open_writer(folder)
        self.trainer.add_event_handler(Events.EPOCH_COMPLETED(every=2), self.validate)
        TrainingHistory(self.evaluator, folder, self.writer).attach(self.trainer)  # type: ignore[arg-type]

    def validate(self, engine: Engine) -> None:
        self.evaluator.state.epoch = engine.state.epoch
        self.evaluator.state.metrics = {"val_accuracy": engine.state.epoch / 10}

    def go(self, epochs: int, after: int = 0) -> None:
        @self.trainer.on(Events.STARTED)
        def resume() -> None:
            self.trainer.state.epoch = after

        self.trainer.run(range(2), max_epochs=epochs)
        self.writer.close()


def test_an_epoch_is_a_row_with_the_means_over_its_samples(tmp_path: Path) -> None:
    Run(tmp_path).go(epochs=2)
    found = pd.read_csv(tmp_path / "history.csv")
    assert found["epoch"].to_list() == [1, 2]
    assert found["train_loss"].to_list() == pytest.approx([(3 * 0.5 + 0.9) / 4] * 2)
    assert found["train_accuracy"].to_list() == [0.5, 0.5]
    assert found["val_accuracy"].isna().to_list() == [True, False]  # no validation after the first
    assert found["val_accuracy"][1] == 0.2
    assert (found["seconds"] > 0).all()
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(event.step, event.value) for event in events.Scalars("train_accuracy")] == [(1, 0.5), (2, 0.5)]


def test_a_resumed_run_goes_on_below_the_rows_of_whole_epochs(tmp_path: Path) -> None:
    Run(tmp_path).go(epochs=3)
    before = (tmp_path / "history.csv").read_text().splitlines()
    Run(tmp_path, [step_of(1 / 3, RIGHT), step_of(1 / 3, RIGHT)]).go(epochs=4, after=2)
    after = (tmp_path / "history.csv").read_text().splitlines()
    assert after[:3] == before[:3]  # to the last digit
    found = pd.read_csv(tmp_path / "history.csv")
    assert found["epoch"].to_list() == [1, 2, 3, 4]
    assert found["train_accuracy"].to_list() == [0.5, 0.5, 1, 1]


def test_a_new_run_replaces_the_rows_of_another(tmp_path: Path) -> None:
    Run(tmp_path).go(epochs=3)
    Run(tmp_path).go(epochs=1)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 1


def test_a_segmentation_has_a_loss_and_no_accuracy(tmp_path: Path) -> None:
    item = {"pred": torch.zeros(2, 4, 4), "label": torch.zeros(1, 4, 4), "loss": torch.tensor(0.25)}
    Run(tmp_path, [[item], [item]]).go(epochs=1)
    found = pd.read_csv(tmp_path / "history.csv")
    assert found["train_loss"].to_list() == [0.25]
    assert "train_accuracy" not in found
