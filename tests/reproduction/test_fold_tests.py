from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from common.reproduction.fold_tests import contest_rows
from common.reproduction.papers.p2 import CONTEST


@dataclass
class Fold:
    """An evaluation of one fold, whose validation side has this accuracy."""

    repeat: int
    accuracy: float
    side: str | None = None

    def of_side(self, side: str | None) -> Fold:
        return Fold(self.repeat, self.accuracy, side)

    def measure(self, name: str, unit: str) -> dict[str, float] | None:
        return {"mean": self.accuracy} if (name, unit, self.side) == ("accuracy", "samples", "validation") else None


def folds(values: Sequence[float], first: int = 0) -> Any:
    return [Fold(first + number, value) for number, value in enumerate(values)]


def test_the_printed_folds_are_tested_in_three_ways() -> None:
    rows = contest_rows(CONTEST, {})
    assert {row["numbers"] for row in rows} == {"published"}
    assert [round(row["t"], 3) for row in rows] == [-0.304, -0.371, -0.234]
    assert [row["df"] for row in rows] == [4, 2, 2]
    assert all(row["p"] > 0.05 for row in rows)


def test_ours_stand_below_the_printed_ones() -> None:
    found = {("net_a", "ours"): folds([0.9, 0.8, 0.85]), ("net_b", "ours"): folds([0.8, 0.75, 0.7])}
    ours = [row for row in contest_rows(CONTEST, found) if row["numbers"] == "our recipe, split by patient"]
    # differences 0.1, 0.05, 0.15: mean 0.1, variance 0.0025
    assert [row["t"] for row in ours[1:]] == pytest.approx([0.1 / (0.0025 / 3) ** 0.5, 0.1 / (0.0025 * 5 / 6) ** 0.5])


def test_only_folds_that_both_have_are_compared() -> None:
    found = {("net_a", "paper"): folds([0.9, 0.8, 0.85]), ("net_b", "paper"): folds([0.75, 0.7], first=1)}
    ours = [row for row in contest_rows(CONTEST, found) if row["numbers"] == "paper's recipe, paper's split"]
    assert {row["folds"] for row in ours} == {2}
    found["net_b", "paper"] = folds([0.75])
    assert all(row["numbers"] == "published" for row in contest_rows(CONTEST, found))
