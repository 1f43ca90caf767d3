from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from common.commands import ROOT
from common.errors import OutputError
from common.files import write_text
from common.runs.processes import (
    DONE,
    FAILED,
    MISSING,
    carry_out,
    carry_out_all,
    check_folders,
    last_error,
    start_process,
)
from common.runs.steps import Run, Step

BUNDLE = ROOT / "bundles" / "glioma_grade_classification"
Plan = Callable[..., Run]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Makes a run of a training and an evaluation with some knobs."""

    def make(device: str = "cpu", **knobs: str) -> Run:
        folder = tmp_path / "grade"
        settings = {"weights": folder / "model.pt", "output_dir": folder, **knobs}
        train = Step("training", BUNDLE, ("train",), settings, device)
        return Run("grade", folder, (train, replace(train, run_id="evaluating", configs=("train", "evaluate"))))

    return make


@pytest.fixture
def run(plan: Plan) -> Run:
    return plan()


class Starts:
    """Stands in for processes: a training leaves weights, an evaluation measures; ``fail`` names what goes wrong."""

    def __init__(self, run: Run, fail: str = "") -> None:
        self.run, self.fail, self.commands = run, fail, list[list[str]]()

    def __call__(self, command: Sequence[str], log: Path) -> int:
        self.commands.append(list(command))
        with log.open("a", encoding="utf-8") as file:
            file.write("$ python\nTraceback\nCheckpointError: it is broken.\n")
        if self.fail in command:
            return 1
        name = "model.pt" if "training" in command else "metrics.json"
        write_text(self.run.folder / name, "{}")
        return 0


def test_a_run_trains_then_evaluates(run: Run) -> None:
    starts = Starts(run)
    assert carry_out(run, starts).state == DONE
    assert [command[3] for command in starts.commands] == ["training", "evaluating"]
    assert all(command[-2:] == ["--device", "cpu"] for command in starts.commands)
    assert "--resume" not in starts.commands[0]


def test_what_is_done_is_left_alone(run: Run) -> None:
    carry_out(run, Starts(run))
    again = Starts(run)
    assert carry_out(run, again).state == DONE
    assert again.commands == []


@pytest.mark.parametrize("left", ["model.pt", "model_last.pt"])
def test_an_interrupted_training_goes_on(run: Run, left: str) -> None:
    write_text(run.folder / left, "")
    starts = Starts(run)
    carry_out(run, starts)
    assert starts.commands[0][-2:] == ["--resume", "true"]
    assert "--resume" not in starts.commands[1]


def test_a_failure_ends_the_run_with_its_last_error(run: Run) -> None:
    starts = Starts(run, fail="training")
    outcome = carry_out(run, starts)
    assert (outcome.state, outcome.message) == (FAILED, "exit code 1: CheckpointError: it is broken.")
    assert len(starts.commands) == 1


def test_a_run_without_measures_has_failed(run: Run) -> None:
    outcome = carry_out(run, lambda command, log: 0)
    assert outcome.state == FAILED
    assert "metrics.json" in outcome.message


def test_another_setting_is_refused_where_something_was_learned(run: Run, plan: Plan) -> None:
    carry_out(run, Starts(run))
    check_folders([run])
    with pytest.raises(OutputError, match="begun with other settings \\(epochs unset, now 3\\)") as caught:
        check_folders([plan(epochs="3")])
    assert caught.value.problems[0].where == run.folder


def test_the_device_is_no_setting(run: Run, plan: Plan) -> None:
    carry_out(run, Starts(run))
    check_folders([plan(device="cuda:1")])


def test_another_setting_may_follow_a_failure_that_left_nothing(run: Run, plan: Plan) -> None:
    carry_out(run, Starts(run, fail="training"))
    check_folders([plan(pretrained="false")])


def test_what_is_left_out_is_not_started_and_what_is_done_counts(run: Run, tmp_path: Path) -> None:
    carry_out(run, Starts(run))
    other = replace(run, name="other", folder=tmp_path / "other")
    starts = Starts(other)
    found = carry_out_all([run, other], starts, left_out=["grade", "other"])
    assert [outcome.state for outcome in found] == [DONE, MISSING]
    assert starts.commands == []


def test_measures_of_somebody_else_are_refused(run: Run) -> None:
    write_text(run.folder / "metrics.json", "{}")
    with pytest.raises(OutputError, match="this command did not write"):
        check_folders([run])


def test_a_process_leaves_its_words_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert start_process(["-c", "import sys; print('said'); sys.exit('ValueError: no')"], log) == 1
    text = log.read_text()
    assert text.startswith("$ python -c ")
    assert "said\n" in text
    assert last_error(log) == "ValueError: no"


def test_the_last_error_is_told_with_all_its_problems(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("KeyError: first\nEpoch 1\n\rTraining: 3\r\n\nDatasetError: 2 problems:\n  - a: b. C.\n  - d: e.\n")
    assert last_error(log) == "DatasetError: 2 problems: - a: b. C. - d: e."
    log.write_text("10:00 INFO began\nKilled\n")
    assert last_error(log) == "Killed"
