"""Curves over the epochs of a training: losses and accuracies."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure

PANELS = {
    "training loss": "train_loss",
    "validation loss": "val_log_likelihood",
    "training accuracy": "train_accuracy",
    "validation accuracy": "val_accuracy",
    "validation Dice": "val_mean_dice",
}
"""What is drawn, and the column of ``history.csv`` that it is read from."""

NEGATED = ("val_log_likelihood",)
"""The loss is the mean of the log-likelihood, negated."""


def draw_curves(plan: PaperFigure, material: Material) -> Figure | None:
    """A panel for each of :data:`PANELS` that the runs have recorded, a line for each network and split.

    Args:
        plan: its ``published`` are values at the last epoch, or at the first and the last, under the panels' names.
        material: results of the figure's networks.
    """
    runs = {
        f"{label}, fold {evaluation.repeat + 1}" if len(found) > 1 else label: evaluation.history
        for label, found in material.evaluations.items()
        for evaluation in found
    }
    panels = [name for name, column in PANELS.items() if any(column in history for history in runs.values())]
    if not panels:
        return None
    figure = Figure(figsize=(9, 3.1 * ((len(panels) + 1) // 2) + 0.4), layout="constrained")
    grid = figure.subplots((len(panels) + 1) // 2, 2, squeeze=False).flat
    epochs = max(len(history) for history in runs.values())
    for axes, name in zip(grid, panels, strict=False):
        for label, history in runs.items():
            _show(axes, label, history, PANELS[name])
        _show_printed(axes, plan.published.get(name, ()), epochs)
        axes.set(title=name, xlabel="epoch", xlim=(0.5, epochs + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True)
    for axes in list(figure.axes)[len(panels) :]:
        axes.remove()
    lines, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def _show(axes: Axes, label: str, history: pd.DataFrame, column: str) -> None:
    if column not in history:
        return
    rows = history.dropna(subset=[column])  # an epoch may be without validation
    axes.plot(rows["epoch"], -rows[column] if column in NEGATED else rows[column], marker=".", label=label)


def _show_printed(axes: Axes, values: Sequence[float], epochs: int) -> None:
    """Printed values as crosses: of the last epoch, or of the first and the last."""
    for place, value in zip([epochs] if len(values) == 1 else [1, epochs], values, strict=False):
        axes.plot(place, value, marker="x", color="black", linestyle="none")
        axes.annotate(f"printed {value:g}", (place, value), (0, 6), textcoords="offset points", ha="center", fontsize=7)
