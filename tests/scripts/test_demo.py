from __future__ import annotations

from pathlib import Path

import pytest

from common.demonstration import terminal
from scripts import demo


def test_a_step_that_fails_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [("good", ["-c", "pass"]), ("bad", ["-c", "raise SystemExit(3)"]), ("never", ["-c", "open('x', 'w')"])]
    monkeypatch.setattr(demo, "list_steps", lambda *_: failing)
    monkeypatch.setattr(terminal, "ROOT", tmp_path)
    kept = tmp_path / "out" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    assert demo.main(["--output", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "x").exists()
    assert kept.read_text() == "mine"
