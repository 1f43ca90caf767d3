"""Starts the runs: each command in its own process with a log file; a run that is done is not repeated."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from tqdm import tqdm

from common.commands import ROOT, run_to_end, shown
from common.errors import OutputError, Problem
from common.files import write_json
from common.running import last_state_path
from common.runs.steps import Run, Step

DONE, FAILED, MISSING = "done", "failed", "not run"
RECORD, LOG, RESULT = "run.json", "log.txt", "metrics.json"
ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Interrupt)\b.*")
LONGEST_MESSAGE = 500  # characters

AnyRun = TypeVar("AnyRun", bound=Run)

Start = Callable[[Sequence[str], Path], int]
"""Runs a command of the interpreter and appends its output to a log file; returns the exit code."""


@dataclass(frozen=True)
class Outcome(Generic[AnyRun]):
    """How a run ended.

    Args:
        run: that was asked for.
        state: ``done``, ``failed`` or ``not run``.
        message: the last error, where it failed.
    """

    run: AnyRun
    state: str
    message: str = ""

    @property
    def failure(self) -> str:
        """What a person is told of a run that failed: which one, the last error, and where its log is."""
        return f"failed: {self.run.name}\n  {self.message}\n  {self.run.folder / LOG}"


def check_folders(runs: Sequence[Run]) -> None:
    """Refuse folders that hold weights or measures made with other settings: a table must not mix them.

    Raises:
        OutputError: names every such folder and what differs.
    """
    problems = []
    for run in runs:
        if not is_done(run) and not any(map(_is_begun, run.steps)):
            continue
        path = run.folder / RECORD
        if not path.is_file():
            what = "it holds weights or measures that this command did not write"
            problems.append(Problem(what, run.folder, "Choose another --output."))
            continue
        found = json.loads(path.read_text(encoding="utf-8"))["settings"]
        differing = _differences(found, _record(run)["settings"])
        if differing:
            hint = "Give the same settings, choose another --output, or delete this folder."
            what = f"this run was begun with other settings ({'; '.join(differing)})"
            problems.append(Problem(what, run.folder, hint))
    if problems:
        raise OutputError(problems)


def carry_out(run: AnyRun, start: Start | None = None) -> Outcome[AnyRun]:
    """Do what is left of a run: nothing where it is done; a training that was interrupted is resumed.

    Args:
        run: its folder was checked by :func:`check_folders`.
        start: runs a command.
    """
    if is_done(run):
        return Outcome(run, DONE)
    write_json(run.folder / RECORD, _record(run))
    for step in run.steps:
        code = (start or start_process)(step.command(resume=_is_begun(step)), run.folder / LOG)
        if code:
            return Outcome(run, FAILED, f"exit code {code}: {last_error(run.folder / LOG)}")
    if not is_done(run):
        return Outcome(run, FAILED, f"its commands ended well but left no {RESULT}")
    return Outcome(run, DONE)


def carry_out_all(
    runs: Sequence[AnyRun], start: Start | None = None, left_out: Collection[str] = ()
) -> Iterator[Outcome[AnyRun]]:
    """Do what is left of some runs, one after the other, behind a bar that names the present one.

    Args:
        runs: their folders were checked by :func:`check_folders`.
        start: runs a command.
        left_out: names of runs that are only looked at.
    """
    bar = tqdm(runs, desc="Runs", unit="run", disable=not runs)
    for run in bar:
        bar.set_postfix_str(run.name)
        yield Outcome(run, MISSING) if run.name in left_out and not is_done(run) else carry_out(run, start)


def is_done(run: Run) -> bool:
    """Whether its measures are there."""
    return (run.folder / RESULT).is_file()


def start_process(command: Sequence[str], log: Path) -> int:
    """Run a command of this interpreter in the repository's root."""
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {shlex.join(shown(command))}\n")
        file.flush()
        finished = run_to_end([sys.executable, *command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    return finished.returncode


def last_error(log: Path) -> str:
    """The last error of a log with what follows it, or its last line."""
    lines = [
        line.rpartition("\r")[2].strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    lines = [line for line in lines if line]
    begins = [place for place, line in enumerate(lines) if ERROR.match(line)]
    text = " ".join(lines[begins[-1] :] if begins else lines[-1:])
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} …"


def _is_begun(step: Step) -> bool:
    weights = Path(str(step.settings["weights"]))
    return step.run_id == "training" and (weights.exists() or last_state_path(weights).exists())


def _record(run: Run) -> dict[str, list[Any]]:
    """The commands and settings of a run, for people to read and for :func:`check_folders` to compare."""
    return {
        "commands": run.commands,
        "settings": [
            {name: str(value) for name, value in {**step.settings, "configs": step.configs}.items()}
            for step in run.steps
        ],
    }


def _differences(found: Sequence[dict[str, str]], wanted: Sequence[dict[str, str]]) -> list[str]:
    if len(found) != len(wanted):
        return [f"{len(found)} commands, now {len(wanted)}"]
    text = [
        f"{name} {then.get(name, 'unset')}, now {now.get(name, 'unset')}"
        for then, now in zip(found, wanted, strict=True)
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]
    return list(dict.fromkeys(text))
