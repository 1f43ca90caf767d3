"""What came of the inputs: kept line by line, so that an interrupted run goes on, and summed up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

FAULTS = (
    "traceback",
    "wrong result",
    "wrong refusal",
    "hang",
    "memory",
    "crash",
    "stray file",
    "warning only",
)
GOOD = ("right", "read", "refused")
MOST_SHOWN = 40
COLUMNS = "{:<20}{:>8}{:>8}{:>9}{:>8}{:>8}{:>9}{:>8}"


class Results:
    """The outcomes of a run's inputs.

    Args:
        folder: of the run.
        seed: of its inputs.
        measured: whether the lines that are reached are recorded.
    """

    def __init__(self, folder: Path, seed: int, measured: bool = True) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.coverage = folder / "coverage" if measured else None
        self.file = folder / f"seed{seed}.jsonl"
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        found = [json.loads(line) for line in lines if line.endswith("}")]  # the last one may be half a line
        latest = {(one["reader"], one["number"]): one for one in found}
        self.outcomes = {task: one for task, one in latest.items() if one["outcome"] in GOOD}
        self.done = set(self.outcomes)
        self.lock = Lock()
        self.file.write_text("".join(json.dumps(one) + "\n" for one in self.outcomes.values()))

    def add(self, outcome: dict[str, Any]) -> None:
        """Keep an outcome."""
        with self.lock, self.file.open("a") as file:
            file.write(json.dumps(outcome) + "\n")
            self.outcomes[outcome["reader"], outcome["number"]] = outcome

    @property
    def faults(self) -> list[dict[str, Any]]:
        """The inputs with which something went wrong."""
        return [one for one in self.outcomes.values() if one["outcome"] in FAULTS]


def describe(results: Results, names: Sequence[str]) -> str:
    """A table of all readers, the faults, and the lines that were reached."""
    head = COLUMNS.format("reader", "inputs", "header", "known", "right", "read", "refused", "faults")
    rows = [_row(name, [one for (reader, _), one in results.outcomes.items() if reader == name]) for name in names]
    total = _row("all", list(results.outcomes.values()))
    shown = [
        f"{one['outcome']}: --show {one['reader']} {one['number']} ({one['mutation']})\n  {one['told'].strip()[-700:]}"
        for one in results.faults[:MOST_SHOWN]
    ]
    counted = ", ".join(f"{count} {kind}" for kind, count in Counter(one["outcome"] for one in results.faults).items())
    most = max((one.get("seconds", 0) for one in results.outcomes.values()), default=0)
    memory = max((one.get("megabytes", 0) for one in results.outcomes.values()), default=0)
    reached = _coverage(results.coverage) if results.coverage else []
    return "\n".join(
        [
            *shown,
            *reached,
            "",
            head,
            *rows,
            total,
            f"header: passed the first check of it; known: whose right value, or refusal, is known. "
            f"Slowest {most:.1f} s, largest {memory} MB.",
            f"{len(results.faults)} faults{': ' if counted else ''}{counted}",
        ]
    )


def _row(name: str, outcomes: Sequence[dict[str, Any]]) -> str:
    counts = Counter(one["outcome"] for one in outcomes)
    header = sum(one["header"] for one in outcomes) / max(len(outcomes), 1)
    known = sum(one.get("known", False) for one in outcomes)
    bad = sum(counts[kind] for kind in FAULTS)
    cells = (name, len(outcomes), f"{header:.0%}", known, counts["right"], counts["read"], counts["refused"], bad)
    return COLUMNS.format(*map(str, cells))


def _coverage(file: Path) -> list[str]:
    """How many lines of each package, and of each file of ``formats``, were reached by all runs in the folder."""
    import coverage

    measured = coverage.Coverage(data_file=str(file), config_file=False, source=["common.formats", "common.cohorts"])
    if not list(file.parent.glob(f"{file.name}*")):
        return []
    measured.load()  # what earlier runs in the folder reached
    if list(file.parent.glob(f"{file.name}.*")):
        measured.combine()
    measured.save()
    lines: dict[str, list[int]] = {}
    for path in sorted(measured.get_data().measured_files()):
        _, statements, _, missing, _ = measured.analysis2(path)
        parts = Path(path).parts
        name = "/".join(parts[len(parts) - parts[::-1].index("common") - 1 :])
        lines[name] = [len(statements), len(statements) - len(missing)]
    package = {
        start: [one for name, one in lines.items() if name.startswith(start)]
        for start in ("common/formats", "common/cohorts")
    }
    rows = [f"{name:<50}{_share(*counts)}" for name, counts in lines.items() if counts[0]]
    totals = [f"{start:<50}{_share(*map(sum, zip(*found, strict=True)))}" for start, found in package.items() if found]
    return ["", "lines reached", *rows, *totals]


def _share(lines: int, reached: int) -> str:
    return f"{reached:>6} of {lines:>5}  {reached / max(lines, 1):>5.0%}"
