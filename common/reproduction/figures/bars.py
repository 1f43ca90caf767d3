"""Measures of several networks as bars, with the printed numbers."""

from __future__ import annotations

from statistics import mean
from textwrap import fill

import numpy as np
from matplotlib.figure import Figure

from common.metrics.measures import title_of
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure

WIDTH = 0.8
"""Of a group of bars; groups are 1 apart."""


def draw_bars(plan: PaperFigure, material: Material) -> Figure:
    """A group of bars for each measure: a filled one for what was measured, an outline for what was printed.

    Args:
        plan: its ``published`` are the printed values, one for each of its ``measures``, under the names of the
            networks; those of other works under theirs.
        material: results of the figure's networks; the mean over their repeats is drawn.
    """
    labels = list(dict.fromkeys([*plan.published, *material.evaluations]))
    width, places = WIDTH / len(labels), np.arange(len(plan.measures))
    middles = (np.arange(len(labels)) - (len(labels) - 1) / 2) * width
    figure = Figure(figsize=(max(5.5, 0.7 * len(labels) * len(plan.measures) + 2), 4.2), layout="constrained")
    axes = figure.subplots()
    for number, label in enumerate(labels):
        middle, colour = places + middles[number], f"C{number}"
        if label in plan.published:
            printed = plan.published[label]
            outlines = axes.bar(
                middle, printed, 0.9 * width, fill=False, edgecolor=colour, linewidth=1.6, label=f"{label}, printed"
            )
            axes.bar_label(outlines, fmt="%.4g", fontsize=7)
        if label in material.evaluations:
            measured = [mean_of(material, label, measure) for measure in plan.measures]
            bars = axes.bar(middle, measured, 0.7 * width, color=colour, alpha=0.6, label=f"{label}, measured")
            axes.bar_label(bars, fmt="%.3f", fontsize=7, label_type="center")
    names = [title_of(measure) for measure in plan.measures]
    if len(names) == 1:  # the networks are named below their bars
        axes.set_xticks(middles, [fill(label, 12) for label in labels], fontsize=8)
    else:
        axes.set_xticks(places, names)
    axes.set(ylim=(0, 1.08), ylabel=names[0] if len(names) == 1 else "share")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    return figure


def mean_of(material: Material, label: str, measure: str) -> float:
    """A measure of a network over its repeats; NaN, which draws no bar, where it is not defined."""
    found = (evaluation.measure(measure, material.counted) for evaluation in material.evaluations[label])
    values = [value["mean"] for value in found if value]
    return mean(values) if values else float("nan")
