"""Curves and points of a classification: ROC curves, survival predicted and true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import auc, roc_curve


def roc_curves(
    truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """False and true positive rates of each class against the rest; of two classes the second alone.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        classes: K names. One that nobody or everybody has gets no curve.
    """
    curves = {}
    for label in range(1 if len(classes) == 2 else 0, len(classes)):
        is_class = truth == label
        if 0 < is_class.sum() < len(is_class):
            false, true, _ = roc_curve(is_class, probabilities[:, label])
            curves[classes[label]] = (false, true)
    return curves


def draw_roc(curves: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """ROC curves with their AUC, and chance as a dashed line.

    Args:
        curves: of :func:`roc_curves`.
    """
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], linestyle="--", color="0.6", label="chance, AUC 0.50")
    for name, (false, true) in curves.items():
        axes.plot(false, true, label=f"{name}, AUC {auc(false, true):.2f}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axes.set_aspect("equal")
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    return figure


def draw_days(days: np.ndarray, predicted_days: np.ndarray, alive: np.ndarray) -> Figure:
    """Predicted against true survival in days; who was still alive is an open marker at the last contact.

    Args:
        days: (n,).
        predicted_days: (n,).
        alive: (n,) booleans.
    """
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.subplots()
    end = 1.05 * max(float(np.max(days)), float(np.max(predicted_days)), 1.0)
    axes.plot([0, end], [0, end], linestyle="--", color="0.6", label="equal")
    axes.scatter(days[~alive], predicted_days[~alive], s=22, alpha=0.7, label="died")
    if alive.any():
        axes.scatter(days[alive], predicted_days[alive], s=26, facecolors="none", edgecolors="C1", label="alive then")
    axes.set(xlabel="true days", ylabel="predicted days", xlim=(0, end), ylim=(0, end))
    axes.set_aspect("equal")
    axes.legend(fontsize=8, frameon=False)
    return figure
