from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from common.reproduction.papers.catalogue import TABLES
from scripts import reproduce

TINY = ["backbone=resnet18", "image_size=[64,64]", "slice_gap=8", "epochs=1", "samples_per_epoch=8", "folds=4"]


def test_the_command_knows_every_table() -> None:
    assert tuple(TABLES) == reproduce.TABLES


@pytest.mark.parametrize("table", TABLES)
def test_a_dry_run_prints_commands_and_writes_nothing(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert reproduce.main([table, "--dataset_dir", str(tmp_path), "--output", str(out), "--dry_run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    commands = [line for line in lines if not line.startswith("#")]
    assert all(line.startswith("python -m monai.bundle run ") for line in commands)
    assert {line.split()[4] for line in commands} == {"training", "evaluating"}
    assert not out.exists()


def test_a_dry_run_takes_no_slow_imports(tmp_path: Path) -> None:
    program = (
        "import sys; from scripts import reproduce; code = reproduce.main(sys.argv[1:])\n"
        "sys.exit(code or sorted({'torch', 'monai', 'sklearn', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    line = [sys.executable, "-c", program, "p1-table3", "--dataset_dir", str(tmp_path), "--dry_run"]
    subprocess.run(line, cwd=reproduce.ROOT, check=True, capture_output=True)


def test_a_mistake_is_told_in_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["p1-table5", "--dataset_dir", str(tmp_path), "--set", "epochs", "--set", "lr=1", "--set", "lr=2"]
    assert reproduce.main(line) == 1
    told = capsys.readouterr().err
    assert told.startswith("KnobError: 2 problems:")
    assert "--set epochs: it is no name=value" in told
    assert "--set lr=2: it is given twice" in told


def test_failed_runs_are_told_with_their_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phantom_dir: Path
) -> None:
    from common.reproduction import runs

    def fail(command: list[str], log: Path) -> int:
        log.write_text("CheckpointError: weights could not be downloaded\n")
        return 1

    monkeypatch.setattr(runs, "start_process", fail)
    line = ["p1-table5", "--dataset_dir", str(phantom_dir), "--output", str(tmp_path), "--protocol", "paper"]
    assert reproduce.main(line) == 1
    told = capsys.readouterr().err
    assert "failed: grade/final/paper\n  exit code 1: CheckpointError: weights could not be downloaded\n" in told
    assert str(tmp_path / "grade" / "final" / "paper" / "log.txt") in told
    assert (tmp_path / "table.html").exists()


@pytest.mark.slow
def test_a_table_of_phantoms_from_files_to_page(tmp_path: Path, phantom_dir: Path) -> None:
    """The one real run here: the same command makes the table of the real data set."""
    line = ["p1-table5", "--dataset_dir", str(phantom_dir), "--output", str(tmp_path), "--protocol", "patient"]
    assert reproduce.main([*line, "--device", "cpu", *(word for knob in TINY for word in ("--set", knob))]) == 0
    content: dict[str, Any] = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    accuracy = next(cell for cell in content["cells"] if cell["column"] == "accuracy")
    (measured,) = accuracy["measured"]
    assert 0 <= measured["mean"] <= 1
    assert content["phantoms"]
    assert content["runs"][0]["patients"] == 2
    assert (tmp_path / "grade" / "final" / "patient" / "report.html").exists()
