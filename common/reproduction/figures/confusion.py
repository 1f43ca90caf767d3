"""Confusion matrices: the printed one, ours over samples, and ours over patients."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from common.reports.pictures import confusion_size, show_confusion
from common.reproduction.evaluation import sum_confusions
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure


def draw_confusions(plan: PaperFigure, material: Material) -> Figure:
    """One matrix after another, the printed one first; repeats are added up.

    Args:
        plan: its ``published`` are the rows of the printed matrix, under their classes.
        material: results of the figure's networks.
    """
    names = material.classes
    panels = {}
    if set(names) <= set(plan.published):
        panels[plan.source] = np.array([plan.published[name] for name in names])
    for label, found in material.evaluations.items():
        for unit, cases in material.units.items():
            counts = sum_confusions(found, unit).iloc[:, 1:].to_numpy()
            panels[f"{label}, {cases}" if len(material.evaluations) > 1 else cases] = counts
    width, height = confusion_size(len(names))
    figure = Figure(figsize=(width * len(panels), height + 0.4), layout="constrained")
    for axes, (title, counts) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        show_confusion(axes, counts, names)
        axes.set_title(f"{title} (n = {counts.sum():,})", fontsize=9)
    return figure
