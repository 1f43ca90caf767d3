"""Curves and points of a classification: ROC curves, reliability, survival predicted and true."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from common.metrics.calibration import BINS
from common.metrics.roc import GRID, PrecisionBand, RocBand
from common.reports.drawn_text import as_drawn

CLASS_COLOURS = ("#0072b2", "#d55e00", "#000000", "#cc79a7")
"""Told apart also by who is colour-blind: CIEDE2000 of the first three 38 or more, simulated after Machado 2009."""


def draw_roc(curves: Mapping[str, RocBand]) -> Figure:
    """ROC curves with their AUC and 95 % band, and chance as a dashed line.

    Args:
        curves: under the names of their classes.
    """
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    show_roc(figure.subplots(), curves)
    return figure


def show_roc(axes: Axes, curves: Mapping[str, RocBand]) -> None:
    """Draw ROC curves with their AUC and 95 % band, and chance as a dashed line.

    Args:
        axes: to draw on.
        curves: under their names.
    """
    axes.set_prop_cycle(color=CLASS_COLOURS)
    axes.plot([0, 1], [0, 1], linestyle="--", color="0.6", label="chance, AUC 0.50")
    for name, curve in curves.items():
        (line,) = axes.plot(curve.false, curve.true, label=f"{as_drawn(name)}, AUC {curve.area:.2f}")
        if len(curve.low):
            axes.fill_between(GRID, curve.low, curve.high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.legend(loc="lower right", fontsize=8, framealpha=0.8, edgecolor="none")


def draw_precision(curves: Mapping[str, PrecisionBand]) -> Figure:
    """Precision by recall with the average precision and the 95 % band; what chance has is dotted.

    Args:
        curves: under the names of their classes.
    """
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=CLASS_COLOURS)
    for name, curve in curves.items():
        label = f"{as_drawn(name)}, average precision {curve.average:.2f} (chance {curve.share:.2f})"
        (line,) = axes.step(curve.recall, curve.precision, where="pre", label=label)
        axes.axhline(curve.share, linestyle=":", color=line.get_color(), linewidth=1)
        if len(curve.low):
            axes.fill_between(GRID, curve.low, curve.high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.legend(loc="lower left", fontsize=8, frameon=False)
    return figure


def draw_reliability(points: Mapping[str, tuple[np.ndarray, np.ndarray]], probabilities: np.ndarray) -> Figure:
    """Observed share against predicted probability, and below it a histogram of the probabilities.

    Args:
        points: of :func:`common.metrics.calibration.reliability`, under the names of their classes.
        probabilities: of the same classes, (n, classes).
    """
    figure = Figure(figsize=(5, 5.6), layout="constrained")
    axes, below = figure.subplots(2, 1, height_ratios=(4, 1), sharex=True)
    for part in (axes, below):
        part.set_prop_cycle(color=CLASS_COLOURS)
    axes.plot([0, 1], [0, 1], linestyle="--", color="0.6", label="calibrated")
    for name, (predicted, observed) in points.items():
        axes.plot(predicted, observed, marker="o", markersize=4, label=as_drawn(name))
    axes.set(ylabel="observed share", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.legend(loc="upper left", fontsize=8, frameon=False)
    below.hist(list(np.asarray(probabilities).T), bins=BINS, range=(0, 1))
    below.set(xlabel="predicted probability", ylabel="count")
    return figure


def draw_days(days: np.ndarray, predicted_days: np.ndarray, alive: np.ndarray) -> Figure:
    """Predicted against true survival in days; patients still alive are open markers at the last contact.

    Args:
        days: (n,).
        predicted_days: (n,).
        alive: (n,) booleans.
    """
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    end = 1.05 * max(float(np.max(days)), float(np.max(predicted_days)), 1.0)
    axes.plot([0, end], [0, end], linestyle="--", color="0.6", label="equal")
    axes.scatter(days[~alive], predicted_days[~alive], s=22, alpha=0.7, color=CLASS_COLOURS[0], label="died")
    if alive.any():
        axes.scatter(
            days[alive], predicted_days[alive], s=26, facecolors="none", edgecolors=CLASS_COLOURS[1], label="alive then"
        )
    axes.set(xlabel="true days", ylabel="predicted days", xlim=(0, end), ylim=(0, end))
    axes.set_aspect("equal")
    axes.legend(fontsize=8, frameon=False)
    return figure
