"""ROC and precision-recall curves with a bootstrap band over patients."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from common.metrics.intervals.bootstrap import LEVEL, draw_blocks

GRID = np.linspace(0.0, 1.0, 101)
CURVE_RESAMPLES = 500
Curve = tuple[np.ndarray, np.ndarray]
"""False and true positive rates."""


@dataclass(frozen=True)
class RocBand:
    """A ROC curve and its pointwise 95 % bootstrap band over subjects.

    Args:
        false: positive rates of the curve.
        true: positive rates of the curve.
        low: true positive rates at each false positive rate of :data:`GRID`; empty where no cohort holds both kinds.
        high: as ``low``.
    """

    false: np.ndarray
    true: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def area(self) -> float:
        """The area under the curve."""
        return float(auc(self.false, self.true))


def roc_band(
    is_class: np.ndarray, score: np.ndarray, subjects: Iterable[str], seed: int = 0, level: float = LEVEL
) -> RocBand:
    """The curve, and where it lies in cohorts drawn with replacement; a subject's rows are drawn together.

    Args:
        is_class: (n,) booleans; both kinds must occur.
        score: (n,).
        subjects: whose row it is.
        seed: of the bootstrap.
        level: of the band at each false positive rate, not of the curve as a whole.

    Returns:
        The curve and its band.
    """
    truth, score = np.asarray(is_class, dtype=bool), np.asarray(score, dtype=float)
    false, true, _ = roc_curve(truth, score)
    cohorts = chain.from_iterable(draw_blocks(subjects, seed, CURVE_RESAMPLES))
    both = (counts for counts in cohorts if counts[truth].any() and counts[~truth].any())
    drawn = [np.interp(GRID, *roc_curve(truth, score, sample_weight=counts)[:2]) for counts in both]
    if not drawn:
        return RocBand(false, true, np.empty(0), np.empty(0))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return RocBand(false, true, low, high)


@dataclass(frozen=True)
class PrecisionBand:
    """Precision by recall, and its pointwise 95 % bootstrap band over subjects.

    Args:
        recall: from 0 to 1.
        precision: at each recall; between two of them it is that of the higher one.
        low: precision at each recall of :data:`GRID`; empty where no cohort holds both kinds.
        high: as ``low``.
        share: of the rows that are of the class, which chance has as its precision.
        average: the average precision, the area under the steps.
    """

    recall: np.ndarray
    precision: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: float
    average: float


def precision_band(
    is_class: np.ndarray, score: np.ndarray, subjects: Iterable[str], seed: int = 0, level: float = LEVEL
) -> PrecisionBand:
    """As :func:`roc_band`, of precision by recall."""
    truth, score = np.asarray(is_class, dtype=bool), np.asarray(score, dtype=float)
    precision, recall, _ = precision_recall_curve(truth, score)
    cohorts = chain.from_iterable(draw_blocks(subjects, seed, CURVE_RESAMPLES))
    both = (counts for counts in cohorts if counts[truth].any() and counts[~truth].any())
    drawn = [_at_recalls(*precision_recall_curve(truth, score, sample_weight=counts)[:2]) for counts in both]
    reach = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(drawn, reach, axis=0) if drawn else (np.empty(0), np.empty(0))
    average = float(average_precision_score(truth, score))
    return PrecisionBand(recall[::-1], precision[::-1], low, high, float(truth.mean()), average)


def _at_recalls(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """The precision at each recall of :data:`GRID`, of a curve whose recall falls."""
    places = np.searchsorted(recall[::-1], GRID - 1e-9)
    return precision[::-1][places]


def precision_curves(
    truth: np.ndarray, probabilities: np.ndarray, subjects: Iterable[str], seed: int = 0
) -> dict[int, PrecisionBand]:
    """As :func:`roc_curves`, of precision by recall."""
    names = list(subjects)
    defined = _defined(truth, probabilities)
    return {label: precision_band(truth == label, probabilities[:, label], names, seed) for label in defined}


def roc_curves(
    truth: np.ndarray, probabilities: np.ndarray, subjects: Iterable[str], seed: int = 0
) -> dict[int, RocBand]:
    """The curve of each class against the rest; of two classes the second alone.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        subjects: whose row it is.
        seed: of the bootstrap.

    Returns:
        The curve of each class with at least one row in it and one outside it, under its label.
    """
    names = list(subjects)
    defined = _defined(truth, probabilities)
    return {label: roc_band(truth == label, probabilities[:, label], names, seed) for label in defined}


def _defined(truth: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """The classes with at least one row in them and one outside; of two classes the second alone."""
    labels = range(1 if probabilities.shape[1] == 2 else 0, probabilities.shape[1])
    return [label for label in labels if 0 < (truth == label).sum() < len(truth)]
