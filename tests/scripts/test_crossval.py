from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.commands import ROOT
from scripts import crossval


def test_a_dry_run_prints_the_commands_of_all_folds_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["glioma_segmentation", "--dataset_dir", str(tmp_path), "--output", str(tmp_path / "out"), "--dry_run"]
    assert crossval.main([*line, "--set", "epochs=1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("#")] == [f"# fold-{fold}" for fold in range(5)]
    commands = [line for line in lines if not line.startswith("#")]
    assert [line.split()[4] for line in commands] == ["training", "evaluating"] * 5
    assert all("--epochs 1" in line for line in commands)
    assert not (tmp_path / "out").exists()


def test_a_dry_run_takes_no_slow_imports(tmp_path: Path) -> None:
    program = (
        "import sys; from scripts import crossval; code = crossval.main(sys.argv[1:])\n"
        "sys.exit(code or sorted({'torch', 'monai', 'sklearn', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    line = [sys.executable, "-c", program, "mgmt_classification", "--dataset_dir", str(tmp_path), "--dry_run"]
    subprocess.run(line, cwd=ROOT, check=True, capture_output=True)


def test_a_relative_path_is_meant_from_where_it_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert crossval.main(["mgmt_classification", "--datalist", "mine.csv", "--dry_run"]) == 0
    assert f"--datalist {tmp_path / 'mine.csv'}" in capsys.readouterr().out


def test_failed_folds_are_told_with_their_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], phantom_dir: Path
) -> None:
    from common.runs import processes

    def fail(command: Sequence[str], log: Path) -> int:
        log.write_text("SplitError: 2 patients cannot fill 3 folds\n")
        return 1

    monkeypatch.setattr(processes, "start_process", fail)
    line = ["glioma_grade_classification", "--dataset_dir", str(phantom_dir), "--output", str(tmp_path / "out")]
    assert crossval.main(line) == 1
    told = capsys.readouterr()
    assert "failed: fold-0\n  exit code 1: SplitError: 2 patients cannot fill 3 folds\n" in told.err
    assert str(tmp_path / "out" / "fold-4" / "log.txt") in told.err
    assert "table.html" not in told.out
