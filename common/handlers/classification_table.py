"""Writes the predictions for new patients as CSV and JSON."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.files import write_json
from common.formats.spreadsheets import read_frame, write_frame
from common.locks import release
from common.metrics.patient_predictions import winner_of
from common.names import file_name_of

TABLE, LIST = "predictions.csv", "predictions.json"

MOST_OF_THE_TIME = 0.1
"""Share of the time that may be spent on writing: a table of thousands of rows is not rewritten after each."""


class ClassificationTable:
    """Keeps ``predictions.csv`` and ``predictions.json`` up to date, after every patient while they are small.

    A row has ``subject``, ``scan`` (where there is one), ``predicted`` (the most probable class) and ``p_<class>``; of
    several samples also ``voted`` (the majority vote, of equal votes the more probable class), ``samples`` and
    ``votes_<class>``, and ``trained_on`` (whether the weights know the scan) where the item says so. It reads the
    output of :class:`common.transforms.ClassProbabilitiesd`.

    Args:
        output_dir: where they go; rows of earlier patients in the table there are kept.
        classes: their names, in the order of the labels.
    """

    def __init__(self, output_dir: str | Path, classes: Sequence[str]) -> None:
        self.output_dir, self.classes = Path(output_dir), tuple(classes)
        self.rows: dict[tuple[str, str], dict[str, Any]] = {}
        self.next_write = 0.0

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Read the rows of an earlier run."""
        self.rows = {_name(row): row for row in _read(self.output_dir / TABLE)}

    def __call__(self, engine: Workflow) -> None:
        """Add the patients of a batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            row = self._row(item, output)
            self.rows[_name(row)] = row
        if time.monotonic() >= self.next_write:
            self._write()

    def finish(self, _: Workflow) -> None:
        """Write what is not written yet, and let other runs write into the folder."""
        if self.rows:
            self._write()
        release(self.output_dir)

    def _row(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        file_name_of(item, self.output_dir, folders=True)  # whoever reads the table may name files by it
        probabilities = _numbers(output["pred"])
        row: dict[str, Any] = {key: str(item[key]) for key in ("subject", "scan") if item.get(key) is not None}
        row["predicted"] = self.classes[probabilities.index(max(probabilities))]
        row.update({f"p_{name}": round(p, 6) for name, p in zip(self.classes, probabilities, strict=True)})
        votes = [int(count) for count in _numbers(output["votes"])]
        if sum(votes) > 1:
            row.update(voted=self.classes[winner_of(votes, probabilities)], samples=sum(votes))
            row.update({f"votes_{name}": count for name, count in zip(self.classes, votes, strict=True)})
        if item.get("trained_on"):
            row["trained_on"] = item["trained_on"]
        return row

    def _write(self) -> None:
        begun = time.monotonic()
        rows = [self.rows[name] for name in sorted(self.rows)]
        write_json(self.output_dir / LIST, rows)  # before the table, by which a resumed run knows who is done
        write_frame(self.output_dir / TABLE, pd.DataFrame(rows).astype(_counts(rows)))
        ended = time.monotonic()
        self.next_write = ended + (ended - begun) / MOST_OF_THE_TIME


def _read(table: Path) -> list[dict[str, Any]]:
    """The rows of an earlier table without empty cells; none where there is no table."""
    if not table.exists():
        return []
    rows = read_frame(table).to_dict("records")
    return [{str(key): value for key, value in row.items() if not pd.isna(value)} for row in rows]


def _name(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["subject"]), str(row.get("scan", ""))


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Whole numbers stay whole where another row has none."""
    names = {name for row in rows for name in row if name == "samples" or name.startswith("votes_")}
    return dict.fromkeys(names, "Int64")


def _numbers(values: Any) -> list[float]:
    return [float(value) for value in torch.as_tensor(values).flatten()]
