"""From evaluations to the table: the printed number beside ours in each column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev, variance
from typing import Any

import pandas as pd

from common.metrics.intervals.bootstrap import Summary
from common.reports.page import DASH
from common.reproduction.differences import Difference
from common.reproduction.evaluation import Evaluation
from common.reproduction.head_search import Evaluations
from common.reproduction.table_plan import COLUMNS, PERMUTED, Cell, Column, PaperTable, counted_as

PRINTED = "published"
ORDER = (*COLUMNS, PERMUTED)


@dataclass(frozen=True)
class Filled:
    """A cell with what we measured there.

    Args:
        cell: that was planned.
        column: how its network was trained, and on what kind of split.
        side: of the split that was judged.
        repeats: how many runs it is the mean of.
        value: mean, with the interval over patients (one run) or the standard deviation over runs.
        counted: what counted as one, ``samples`` or ``patients``.
    """

    cell: Cell
    column: Column
    side: str
    repeats: int
    value: dict[str, float]
    counted: str

    @property
    def heading(self) -> str:
        """Of its column below the paper's."""
        text = self.column.heading
        return text if self.side == "test" else f"{text}, {self.side} side"

    @property
    def order(self) -> tuple[int, bool]:
        """Where that column stands; the test side last.

        Returns:
            A key to sort by.
        """
        return ORDER.index(self.column), self.side == "test"

    def __str__(self) -> str:
        if math.isnan(self.value["mean"]):
            return DASH
        text = self._digits("mean")
        if self.repeats > 1:
            return f"{text} ± {self._digits('deviation')} ({self.repeats} runs)"
        if math.isnan(self.value["low"]):
            return text
        return f"{text} ({self._digits('low')} to {self._digits('high')})"

    def _digits(self, key: str) -> str:
        return f"{self.value[key]:,.{self.cell.digits}f}"


def fill(cells: Sequence[Cell], evaluations: Evaluations) -> list[Filled]:
    """Every cell that something was measured for, in each column."""
    return [
        filled
        for cell in cells
        for column in ORDER
        if (filled := _fill(cell, column, evaluations.get((cell.model, column.name), ()))) is not None
    ]


def lay_out(cells: Sequence[Cell], filled: Sequence[Filled]) -> pd.DataFrame:
    """The table as text in the paper's layout: ours beside the printed number; what is missing is blank.

    Args:
        cells: of the table.
        filled: those that something was measured for.

    Returns:
        Two levels of columns: the paper's, and whose number it is. The first column holds the rows' labels.
    """
    rows = list(dict.fromkeys(cell.row for cell in cells))
    columns: dict[tuple[str, str], dict[str, str]] = {("", ""): {row: row for row in rows}}
    for column in dict.fromkeys(cell.column for cell in cells):
        printed = {
            cell.row: _as_printed(cell.published, cell.digits, cell.deviation)
            for cell in cells
            if cell.column == column and cell.published is not None
        }
        columns |= {(column, PRINTED): printed} if printed else {}
        ours = sorted((part for part in filled if part.cell.column == column), key=lambda part: part.order)
        for part in ours:
            columns.setdefault((column, part.heading), {})[part.cell.row] = str(part)
    return pd.DataFrame({key: [column.get(row, "") for row in rows] for key, column in columns.items()})


def to_json(
    cells: Sequence[Cell], filled: Sequence[Filled], differences: Sequence[Difference] = ()
) -> list[dict[str, Any]]:
    """All numbers of the table.

    Args:
        cells: of the table.
        filled: those that something was measured for.
        differences: between the columns.

    Returns:
        One dict per cell: its labels, the printed number, ``measured``, one dict per column, and ``differences``.
    """
    return [
        {
            "row": cell.row,
            "column": cell.column,
            "measure": cell.measure,
            "published": cell.published,
            **({"published_deviation": cell.deviation} if cell.deviation is not None else {}),
            "measured": [
                {
                    "trained_as": part.column.name,
                    "recipe": part.column.recipe,
                    "split": part.column.split,
                    "side": part.side,
                    "counted": part.counted,
                    "runs": part.repeats,
                    **part.value,
                }
                for part in filled
                if part.cell == cell
            ],
            "differences": [part.to_json() for part in differences if part.cell == cell],
        }
        for cell in cells
    ]


def chosen_cells(table: PaperTable) -> tuple[Cell, ...]:
    """The row of each search's winner.

    Returns:
        One cell per search of the table.
    """
    return tuple(
        Cell(
            "the best options together",
            f"{search.start.task} macro F1",
            search.start.name,
            search.measure,
            search.published,
        )
        for search in table.searches
    )


def _as_printed(value: float, digits: int, deviation: float | None) -> str:
    """With two digits, or four where the paper gives four; a count without any; and ± where the paper has it."""
    if not digits:
        return f"{value:,.0f}"
    text = f"{value:.2f}" if math.isclose(value, round(value, 2)) else f"{value:.4f}"
    return text if deviation is None else f"{text} ± {deviation:.3f}"


def _fill(cell: Cell, column: Column, found: Sequence[Evaluation]) -> Filled | None:
    counted = counted_as(cell.unit, column.split)
    read = [evaluation.of_side(cell.side) for evaluation in found if cell.repeat in (None, evaluation.repeat)]
    values = [value for evaluation in read if (value := evaluation.measure(cell.measure, counted)) is not None]
    if not values or (cell.variance and len(values) == 1):
        return None
    if cell.variance:
        spread = variance(100 * value["mean"] for value in values)
        summary = {"mean": spread, "low": math.nan, "high": math.nan, "n": len(values)}
        return Filled(cell, column, str(read[0].facts["side"]), 1, summary, counted)
    return Filled(cell, column, str(read[0].facts["side"]), len(values), _average(values), counted)


def _average(values: Sequence[Summary]) -> dict[str, float]:
    """One run as it is; of several the mean and the standard deviation over those where it is defined."""
    if len(values) == 1:
        return {key: values[0][key] for key in ("mean", "low", "high", "n")}
    known = [value["mean"] for value in values if not math.isnan(value["mean"])]
    return {
        "mean": mean(known) if known else math.nan,
        "deviation": stdev(known) if len(known) > 1 else math.nan,
        "n": min(value["n"] for value in values),
    }
