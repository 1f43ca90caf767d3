"""Confusion of voxels, which background dominates: the logarithm of the counts (P3, figure 5)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from common.records import MASK_CLASSES
from common.reports.page import DASH
from common.reports.pictures import confusion_size
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure

NAMES = ("background", *MASK_CLASSES)


def draw_log_counts(plan: PaperFigure, material: Material) -> Figure:
    """The logarithm to the base 10 of how many voxels of each class were called what; repeats are added up.

    Args:
        plan: of the figure.
        material: results of one segmentation network.
    """
    (found,) = material.evaluations.values()
    counts = np.sum([np.loadtxt(one.folder / "confusion_matrix.csv", delimiter=",") for one in found], axis=0)
    shown = np.log10(np.maximum(counts, 1))
    figure = Figure(figsize=confusion_size(len(NAMES)), layout="constrained")
    axes = figure.subplots()
    picture = axes.imshow(shown, cmap="Blues", vmin=0)
    for (row, column), value in np.ndenumerate(shown):
        colour = "white" if value > 0.6 * shown.max() else "black"
        logarithm = f"{value:.2f}" if counts[row, column] else DASH
        text = f"{logarithm}\n{int(counts[row, column]):,}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(NAMES)), NAMES)
    axes.set_yticks(range(len(NAMES)), NAMES)
    axes.set(xlabel="predicted", ylabel="truth")
    figure.colorbar(picture, ax=axes, shrink=0.8, label="log10 of the voxels")
    return figure
