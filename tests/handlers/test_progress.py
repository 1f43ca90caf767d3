from __future__ import annotations

import ignite.distributed as idist
import pytest
from ignite.engine import Engine

from common.handlers import Progress


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    engine = Engine(lambda *_: [{"loss": 0.25}])
    Progress("Training").attach(engine)
    engine.run(range(10))
    return capsys.readouterr().err


def test_the_first_process_shows_a_bar_with_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys)
    assert "Training" in told
    assert "loss=0.25" in told


def test_the_other_processes_are_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist, "get_rank", lambda: 1)
    assert shown(capsys) == ""
