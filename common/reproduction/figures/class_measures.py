"""Measures of several networks as heat maps, one for each class (P4, figure 7)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from common.metrics.measures import title_of
from common.reports.page import DASH
from common.reproduction.figures.bars import mean_of
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure


def draw_class_measures(plan: PaperFigure, material: Material) -> Figure:
    """A row for each network and a column for each measure; the mean over the repeats.

    Args:
        plan: with the ``measures`` of a class.
        material: results of the figure's networks.
    """
    labels, names = list(material.evaluations), material.classes
    figure = Figure(figsize=(3.6 * len(names) + 1.6, 0.5 * len(labels) + 1.6), layout="constrained")
    grid = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
    for axes, name in zip(grid, names, strict=True):
        values = np.array([[mean_of(material, label, f"{key}_{name}") for key in plan.measures] for label in labels])
        axes.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            colour = "white" if value <= 0.5 else "black"  # on white, where there is no value
            text = DASH if np.isnan(value) else f"{value:.3f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
        axes.set_xticks(range(len(plan.measures)), [title_of(key) for key in plan.measures], fontsize=8)
        axes.set_yticks(range(len(labels)), labels, fontsize=8)
        axes.set_title(name, fontsize=9)
    return figure
