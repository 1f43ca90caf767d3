from __future__ import annotations

from pathlib import Path

import pytest

from common.reports.knobs import read_knobs
from scripts import demo


def test_each_step_is_a_command_that_a_person_can_type(tmp_path: Path) -> None:
    split = tmp_path / "run" / "eval" / "split.json"
    split.parent.mkdir(parents=True)
    split.write_text('{"test": ["BraTS20_Training_002", "BraTS20_Training_003"]}')
    steps = list(demo.steps(tmp_path / "data", tmp_path / "run", patients=3))
    assert any(part.endswith("BraTS20_Training_002") for part in steps[-1][1])
    assert [command[0] for _, command in steps[:2]] == ["scripts/make_phantoms.py", "scripts/check_dataset.py"]
    assert all((demo.ROOT / command[0]).is_file() for _, command in steps[:2])
    assert demo.shown(["x", str(demo.ROOT / "bundles" / "a.yaml")]) == ["python", "x", "bundles/a.yaml"]


def test_the_demo_uses_knobs_that_there_are() -> None:
    known = {knob.name for knob in read_knobs(demo.BUNDLE / "configs" / "train.yaml")}
    assert set(demo.LEARNING) <= known


def test_a_step_that_fails_ends_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [("good", ["-c", "pass"]), ("bad", ["-c", "raise SystemExit(3)"]), ("never", ["-c", "open('x', 'w')"])]
    monkeypatch.setattr(demo, "steps", lambda *_: failing)
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    kept = tmp_path / "out" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    assert demo.main(["--output", str(tmp_path / "out")]) == 3
    assert not (tmp_path / "x").exists()
    assert kept.read_text() == "mine"
