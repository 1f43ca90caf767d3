from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events

from common.handlers import TrainingCost
from common.handlers import training_cost as module

IMAGE = torch.zeros(2, 1, 4, 5, 6)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still unless it is told to move."""
    now = [0.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    return now


def train(folder: Path, seconds: list[float], clock: list[float]) -> dict[str, Any] | None:
    """Steps of the given duration with a network of 8 parameters, and 5 s between any two."""

    def step(engine: Engine, batch: dict[str, Any]) -> None:
        engine.state.batch = []  # type: ignore[assignment]  # as MONAI leaves it
        clock[0] += batch["seconds"]

    def wait(engine: Engine) -> None:
        clock[0] += 5

    engine = Engine(step)
    engine.add_event_handler(Events.GET_BATCH_STARTED, wait)
    TrainingCost(torch.nn.Linear(3, 2), folder).attach(engine)  # type: ignore[arg-type]
    engine.run([{"image": IMAGE, "seconds": duration} for duration in seconds])
    path = folder / "cost.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def test_steps_are_measured_after_the_warm_up_and_without_loading(tmp_path: Path, clock: list[float]) -> None:
    found = train(tmp_path, [9, 9, 9, *[0.25] * 20, *[7] * 30], clock)
    assert found is not None
    assert found["step_seconds"] == pytest.approx(0.25)
    assert (found["parameters"], found["steps"], found["image"]) == (8, 20, [2, 1, 4, 5, 6])
    assert (found["device"], found["memory_of"]) == ("cpu", "process")
    assert 10 < found["peak_memory_mb"] < 1e6


@pytest.mark.parametrize(("seconds", "expected"), [([9, 9, 9, 1, 3], (2, 2)), ([4, 2], (3, 2))])
def test_a_short_training_is_measured_as_well_as_it_goes(
    tmp_path: Path, clock: list[float], seconds: list[float], expected: tuple[float, int]
) -> None:
    found = train(tmp_path, seconds, clock)
    assert found is not None
    assert (found["step_seconds"], found["steps"]) == expected


def test_a_run_that_was_done_already_keeps_what_it_has_measured(tmp_path: Path, clock: list[float]) -> None:
    first = train(tmp_path, [1.0] * 30, clock)
    TrainingCost(torch.nn.Linear(1, 1), tmp_path).finish(Engine(lambda *_: None))  # type: ignore[arg-type]
    assert json.loads((tmp_path / "cost.json").read_text(encoding="utf-8")) == first


def test_the_other_processes_measure_nothing(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.handlers.training_cost.idist.get_rank", lambda: 1)
    assert train(tmp_path, [1.0] * 30, clock) is None
