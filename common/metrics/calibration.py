"""Calibration in bins of the predicted probability: is a probability of 0.8 right for 8 of 10 patients?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.calibration import calibration_curve

BINS = 10
DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Calibration:
    """The expected calibration error (ECE), and how large it is by chance.

    Args:
        error: share-weighted mean over the bins of |mean probability - observed share|.
        of_calibrated: 95 % of perfectly calibrated networks with the same probabilities stay below it; it is large
            where there are few patients.
        bins: how many of equal width.
    """

    error: float
    of_calibrated: float
    bins: int = BINS

    @property
    def sentence(self) -> str:
        """In words."""
        error = f"Expected calibration error {self.error:.3f} ({self.bins} bins)"
        against = f"a perfectly calibrated network would stay below {self.of_calibrated:.3f} in 95 % of such cohorts"
        verdict = "it is not shown to be miscalibrated" if self.error <= self.of_calibrated else "it is miscalibrated"
        return f"{error}; {against}: {verdict}."

    def to_json(self) -> dict[str, Any]:
        """Plain numbers under the names of the fields, and ``sentence``."""
        return {**asdict(self), "sentence": self.sentence}


def calibration_error(truth: np.ndarray, probabilities: np.ndarray, bins: int = BINS) -> float:
    """The class-wise expected calibration error: of two classes that of class 1, else the mean over the classes.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        bins: how many of equal width.

    References:
        Guo et al., On Calibration of Modern Neural Networks, ICML 2017; class-wise: Kull et al., NeurIPS 2019.
    """
    return float(_errors(_is_class(truth, probabilities.shape[1])[None], probabilities, bins)[0])


def judge_calibration(
    truth: np.ndarray, probabilities: np.ndarray, subjects: Iterable[str], seed: int = 0, bins: int = BINS
) -> Calibration:
    """:func:`calibration_error`, compared with that of labels that are drawn from the probabilities themselves.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        subjects: whose row it is; the rows of a subject share one draw.
        seed: of the draws.
        bins: how many of equal width.

    Returns:
        The error, and the 95 % quantile of the errors of drawn labels.

    References:
        Bröcker & Smith, Increasing the Reliability of Reliability Diagrams, Weather and Forecasting 22 (2007).
    """
    names, places = np.unique(np.asarray(list(subjects), dtype=str), return_inverse=True)
    draws = np.random.default_rng(seed).random((DRAWS, len(names)))[:, places]
    upto = probabilities.cumsum(axis=1)[:, :-1]
    drawn = (draws[:, :, None] > upto).sum(axis=2)
    errors = _errors(_is_class(drawn, probabilities.shape[1]), probabilities, bins)
    return Calibration(calibration_error(truth, probabilities, bins), float(np.quantile(errors, LEVEL)), bins)


def reliability(is_class: np.ndarray, probability: np.ndarray, bins: int = BINS) -> tuple[np.ndarray, np.ndarray]:
    """The points of a reliability plot.

    Args:
        is_class: (n,) booleans.
        probability: of that class, (n,).
        bins: how many of equal width.

    Returns:
        Mean probability and observed share of each bin that is not empty, (bins,) each.
    """
    truth = np.asarray(is_class, dtype=int)
    observed, predicted = calibration_curve(truth, np.clip(probability, 0.0, 1.0), pos_label=1, n_bins=bins)
    return predicted, observed


def _is_class(truth: np.ndarray, classes: int) -> np.ndarray:
    """(..., K) with 1 at the true class."""
    return (np.asarray(truth)[..., None] == np.arange(classes)).astype(float)


def _errors(truths: np.ndarray, probabilities: np.ndarray, bins: int) -> np.ndarray:
    """The error for many sets of labels: (cohorts, n, K) to (cohorts,)."""
    edges = np.linspace(0.0, 1.0, bins + 1)[1:-1]  # as scikit-learn bins
    labels = range(probabilities.shape[1]) if probabilities.shape[1] != 2 else (1,)
    errors = []
    for label in labels:
        members = np.eye(bins)[np.searchsorted(edges, probabilities[:, label])]
        # ECE = sum over the bins of |B| / n * |observed share - mean probability|, and |B| cancels out.
        gaps = np.abs((truths[:, :, label] - probabilities[:, label]) @ members)
        errors.append(gaps.sum(axis=1) / len(probabilities))
    return np.mean(errors, axis=0)
