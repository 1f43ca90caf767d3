from __future__ import annotations

from pathlib import Path

import pytest

from common.demonstration import terminal


def test_the_terminal_shows_what_matters_and_the_log_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # As MONAI's command prints: notices, bars that overwrite themselves, measures; and our own lines.
    said = [
        "2026-11-26 19:39:18,001 - INFO - --- input summary of monai.bundle.scripts.run ---",
        "Training [1/6]: [1/40]   2%|#, loss=1.11 [00:00<?]\rTraining [1/6]: [40/40] 100%|#, loss=1 [00:18<00:00]",
        "2026-11-26 19:39:43,062 - INFO - Epoch[1] Metrics -- val_auc: 0.5564",
        "2026-11-26 19:39:43,063 - INFO - Key metric: val_auc best value: 0.5564 at epoch: 1",
        "19:39:18 INFO 360 cases are prepared",
    ]
    blanks = " " * 90 + "\x1b[A"  # a bar above another one is wiped before a line is written
    (tmp_path / "step.py").write_text("\n".join(f"print({blanks + line!r})" for line in said))
    log = tmp_path / "demo.log"
    module = ["-m", "step"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(terminal, "ROOT", tmp_path)
        assert terminal.run_step(module, log) == 0
    assert capfd.readouterr().out.splitlines() == [said[2], said[4]]
    kept = log.read_text(encoding="utf-8")
    assert "input summary" in kept and "loss=1.11" in kept


def test_a_step_that_fails_shows_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert terminal.run_step(["-c", "print('a notice'); raise SystemExit('no space left')"], tmp_path / "log") == 1
    assert "no space left" in capfd.readouterr().err
