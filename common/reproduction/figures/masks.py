"""What masks show of survival: features of the network in two dimensions, and the channels' shares (P3)."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from common.metrics.patient_predictions import most_probable
from common.records import MASK_CLASSES
from common.reports.classification.curves import CLASS_COLOURS
from common.reports.page import DASH
from common.reproduction.evaluation import Evaluation
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure
from common.tasks.published import short_name

SHARES = {f"share_{name}": name for name in MASK_CLASSES}
"""Columns of ``samples.csv``: the share of a slice's pixels in each channel."""

TRUE, ASSIGNED = "true bin", "assigned bin"


def draw_components(plan: PaperFigure, material: Material) -> Figure | None:
    """The first two principal components of the image features of each slice, coloured by the true bin (figure 8).

    Args:
        plan: of the figure.
        material: results of one network on masks; the first repeat is drawn. ``None`` where it left no features.
    """
    (found,) = material.evaluations.values()
    features = found[0].mask_features
    if features is None:
        return None
    figure = Figure(figsize=(5.6, 4.8), layout="constrained")
    axes = figure.subplots()
    axes.set_prop_cycle(color=CLASS_COLOURS)
    for name in found[0].classes:
        rows = features[features["truth"] == name]
        axes.scatter(rows["component_1"], rows["component_2"], s=6, alpha=0.5, label=short_name(name))
    first, second = found[0].facts["mask_features"]["explained"]
    axes.set(xlabel=f"component 1 ({first:.0%} of the variance)", ylabel=f"component 2 ({second:.0%})")
    axes.legend(title="true bin", fontsize=8, frameon=False)
    return figure


def draw_channel_shares(plan: PaperFigure, material: Material) -> Figure | None:
    """Pearson's correlation of each channel's share of a slice with the bin (figure 9).

    Args:
        plan: of the figure.
        material: results of one network on masks; the first repeat is drawn. ``None`` where shares were not recorded.
    """
    (found,) = material.evaluations.values()
    rows = found[0].samples
    if not set(SHARES) <= set(rows):
        return None
    panels = {"all slices": rows, "slices with tumour": rows[rows["tumour"].astype(bool)]}
    figure = Figure(figsize=(4.4 * len(panels), 3.4), layout="constrained")
    for axes, (title, part) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        shown = _show(axes, correlate(found[0], part))
        axes.set_title(f"{title} (n = {len(part):,})", fontsize=9)
    figure.colorbar(shown, ax=figure.axes, shrink=0.8, label="Pearson's correlation")
    return figure


def correlate(evaluation: Evaluation, rows: pd.DataFrame) -> pd.DataFrame:
    """The correlations of the bins, 0 to 2, with the channels' shares.

    Args:
        evaluation: whose classes are the bins.
        rows: of its samples.

    Returns:
        One row per bin that is correlated, true and assigned, one column per channel; NaN where one does not vary.
    """
    numbers = {name: number for number, name in enumerate(evaluation.classes)}
    bins = {TRUE: rows["truth"], ASSIGNED: most_probable(rows, evaluation.classes)}
    table = rows[list(SHARES)].rename(columns=SHARES)
    table = table.assign(**{name: values.map(numbers).astype(float) for name, values in bins.items()})
    return table.corr().loc[list(bins), list(SHARES.values())]


def _show(axes: Axes, found: pd.DataFrame) -> AxesImage:
    values = found.to_numpy()
    shown = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, DASH if np.isnan(value) else f"{value:+.2f}", ha="center", va="center", fontsize=9)
    axes.set_xticks(range(values.shape[1]), found.columns)
    axes.set_yticks(range(len(values)), found.index)
    return shown
