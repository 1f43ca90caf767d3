"""Several evaluated runs side by side: what a protocol is worth shows only beside the other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.errors import OutputError, Problem
from common.reports.page import Page
from common.reports.segmentation import PUBLISHED, interval

LEAKY = (
    "Under the published protocol, slices of one patient stand on both sides of the split: what it gains over the "
    "patient protocol is memory of the patients, not skill on new ones."
)


def compare_runs(runs: Sequence[Path]) -> pd.DataFrame:
    """A column a run, a row a measure with its mean and 95 % interval over patients; P3's printed numbers last.

    Args:
        runs: run folders with a ``metrics.json``.

    Raises:
        OutputError: with every run that has none.
    """
    missing = [run for run in runs if not (run / "metrics.json").is_file()]
    if missing:
        mend = "Evaluate it first (run evaluating, see the bundle's docs/README.md)."
        raise OutputError([Problem("it holds no metrics.json", str(run), mend) for run in missing])
    columns = {str(run): _column(json.loads((run / "metrics.json").read_text(encoding="utf-8"))) for run in runs}
    published = {f"soft Dice {name}": f"{value:.4f}" for name, value in PUBLISHED.items()}
    table = pd.DataFrame({**columns, "published": published}).reindex(list(next(iter(columns.values()))))
    return table.fillna("-").rename_axis("measure").reset_index()


def write_comparison(path: Path, table: pd.DataFrame, runs: Sequence[Path]) -> None:
    """Write the table as a page."""
    page = Page("Runs side by side")
    if (table[table["measure"] == "protocol"] == "paper").to_numpy().any():
        page.warning(LEAKY)
    page.table(table)
    page.paragraph("Means with 95 % intervals, bootstrap over patients. Runs: " + ", ".join(str(run) for run in runs))
    page.write(path)


def _column(metrics: dict[str, Any]) -> dict[str, str]:
    column: dict[str, str] = {
        "protocol": str(metrics["protocol"]),
        "side": str(metrics["side"]),
        "patients": str(metrics["patients"]),
        "slices": str(metrics["slices"]),
    }
    for region, measures in metrics["regions"].items():
        column[f"Dice {region}"] = _with_interval(measures["dice"], 3)
        column[f"HD95 {region} in mm"] = _with_interval(measures["hd95"], 1)
    for name, values in metrics["soft_dice"].items():
        column[f"soft Dice {name}"] = _with_interval(values, 3)
    return column


def _with_interval(values: dict[str, Any], digits: int) -> str:
    numbers = {key: float("nan") if value is None else value for key, value in values.items()}
    if numbers["n"] == 0:
        return "-"
    return f"{numbers['mean']:.{digits}f} ({interval(numbers, digits)})"
