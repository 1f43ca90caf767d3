"""Folders of evaluated runs: what they measured, and whether they can be compared; read in an instant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import KnobError, OutputError, Problem
from common.tasks.registry import task_of

Metrics = Mapping[str, Any]


def read_metrics(runs: Sequence[Path]) -> dict[str, Metrics]:
    """The ``metrics.json`` of each run.

    Raises:
        OutputError: names every run that has none, or one that cannot be read.
    """
    hint = "Evaluate it first (run evaluating, see the bundle's docs/README.md)."
    found, problems = {}, []
    for run in runs:
        try:
            found[str(run)] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        except OSError:
            problems.append(Problem("it holds no metrics.json", str(run), hint))
        except ValueError as error:
            problems.append(Problem(f"its metrics.json is damaged ({error})", str(run), hint))
    if problems:
        raise OutputError(problems)
    return found


def only_task(read: Mapping[str, Metrics]) -> str:
    """The name of the task of all runs.

    Raises:
        KnobError: they have several.
    """
    tasks = {run: task_of(metrics).name for run, metrics in read.items()}
    if len(set(tasks.values())) > 1:
        named = ", ".join(f"{run} ({task})" for run, task in tasks.items())
        raise KnobError(Problem("runs of several tasks share no measure", named, "Compare runs of one task."))
    return next(iter(tasks.values()))
