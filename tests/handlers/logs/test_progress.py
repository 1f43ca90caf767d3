from __future__ import annotations

import ignite.distributed as idist
import pytest
from ignite.engine import Engine

from common.handlers import Progress


def shown(capsys: pytest.CaptureFixture[str], **run: int) -> str:
    engine = Engine(lambda *_: [{"loss": 0.25}])
    Progress("Training").attach(engine)
    engine.run(range(10), **run)
    return capsys.readouterr().err


def test_the_first_process_shows_a_bar_with_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys)
    assert "Training: " in told
    assert "5/10" in told
    assert "loss=0.25" in told


def test_each_epoch_has_its_bar(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, max_epochs=2)
    for epoch in ("Training 1/2: ", "Training 2/2: "):
        bar = told[told.index(epoch) :]
        assert bar.index("0/10") < bar.index("5/10") < bar.index("10/10")


def test_the_bar_is_there_before_the_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    """Fewer steps than are between two updates, and a first one that takes long."""
    told: list[str] = []
    engine = Engine(lambda *_: told.append(capsys.readouterr().err))
    Progress("Validation").attach(engine)
    engine.run(range(2))
    assert "Validation" in told[0] and "0/2" in told[0]


def test_a_step_that_stops_the_engine_leaves_no_bar() -> None:
    progress, engine = Progress("Training"), Engine(lambda engine, _: engine.terminate())
    progress.attach(engine)
    engine.run(range(10), max_epochs=3)
    assert progress.bar is None


def test_the_other_processes_are_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist, "get_rank", lambda: 1)
    assert shown(capsys) == ""
