"""The measures of a classification, each in one place: its name, its title, and how it is computed.

A new measure is one more :class:`Measure` in :data:`OVERALL` or :data:`OF_A_CLASS`: results, intervals, baselines,
reports and comparisons take it from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.intervals.bootstrap import divide, nan_mean
from common.metrics.survival_measures import TITLES as SURVIVAL_TITLES


@dataclass(frozen=True)
class Cohorts:
    """Predictions of many cohorts at once, and the counts that measures are made of.

    Args:
        truth: class indices (n,).
        probabilities: (n, K); the predicted class is the most probable one.
        counts: how often each row is in each cohort, (cohorts, n).
    """

    truth: np.ndarray
    probabilities: np.ndarray
    counts: np.ndarray

    @cached_property
    def true(self) -> np.ndarray:
        """Whether a row is of a class, (n, K) of 0 and 1."""
        return (self.truth[:, None] == np.arange(self.probabilities.shape[1])).astype(float)

    @cached_property
    def predicted(self) -> np.ndarray:
        """Whether a row is predicted to be of a class, (n, K) of 0 and 1."""
        return (self.probabilities.argmax(axis=1)[:, None] == np.arange(self.probabilities.shape[1])).astype(float)

    @cached_property
    def hits(self) -> np.ndarray:
        """TP, the rows of each class that are predicted to be of it, (cohorts, K)."""
        return self.counts @ (self.true * self.predicted)

    @cached_property
    def support(self) -> np.ndarray:
        """TP + FN, the rows of each class, (cohorts, K)."""
        return self.counts @ self.true

    @cached_property
    def calls(self) -> np.ndarray:
        """TP + FP, the rows that are predicted to be of each class, (cohorts, K)."""
        return self.counts @ self.predicted

    @cached_property
    def size(self) -> np.ndarray:
        """The rows of each cohort, (cohorts, 1)."""
        return self.counts.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Measure:
    """A measure of a classification.

    Args:
        name: in ``metrics.json``.
        title: in words.
        of: its values, (cohorts,), or (cohorts, K) where each class has one; NaN where it is undefined.
        rows: those that it is a share of, of 0 and 1, (n,), or (n, K) where each class has a value; several sets where
            it depends on each of them, as an AUC on the members of the class and on the others.
        of_two: whether it needs exactly two classes.
    """

    name: str
    title: str
    of: Callable[[Cohorts], np.ndarray]
    rows: Callable[[Cohorts], Sequence[np.ndarray]]
    of_two: bool = False


def precision(cohorts: Cohorts) -> np.ndarray:
    """TP / (TP + FP); undefined for a class that is never predicted."""
    return divide(cohorts.hits, cohorts.calls)


def recall(cohorts: Cohorts) -> np.ndarray:
    """TP / (TP + FN); undefined for a class without support."""
    return divide(cohorts.hits, cohorts.support)


def specificity(cohorts: Cohorts) -> np.ndarray:
    """TN / (TN + FP) of each class against the rest; undefined for the only class with support."""
    return 1 - divide(cohorts.calls - cohorts.hits, cohorts.size - cohorts.support)


def f1_score(cohorts: Cohorts) -> np.ndarray:
    """2 TP / (2 TP + FP + FN); undefined for a class without support."""
    shares = divide(2 * cohorts.hits, cohorts.support + cohorts.calls)
    return np.where(cohorts.support > 0, shares, np.nan)


def class_areas(cohorts: Cohorts) -> np.ndarray:
    """The AUC of each class against the rest, as the Mann-Whitney statistic U / (m n): a tie counts half.

    Undefined for a class without support, for the only one with it, and where a probability is NaN.

    References:
        Hanley & McNeil, Radiology 143 (1982), 29-36.
    """
    columns = zip(cohorts.true.T, cohorts.probabilities.T, strict=True)
    return np.stack([_area(is_class, score, cohorts.counts) for is_class, score in columns], axis=1)


def accuracy(cohorts: Cohorts) -> np.ndarray:
    """The share of rows that are predicted right."""
    return divide(cohorts.hits.sum(axis=1), cohorts.size[:, 0])


def macro_precision(cohorts: Cohorts) -> np.ndarray:
    """The mean over the classes with support; a class that is never predicted has precision 0."""
    return nan_mean(np.where(cohorts.support > 0, np.nan_to_num(precision(cohorts)), np.nan))


def weighted_f1(cohorts: Cohorts) -> np.ndarray:
    """The F1 of each class, weighted by its support."""
    weighed = np.nan_to_num(f1_score(cohorts)) * cohorts.support
    return divide(weighed.sum(axis=1), cohorts.support.sum(axis=1))


def area(cohorts: Cohorts) -> np.ndarray:
    """The AUC of class 1 of two classes, else the mean over the classes."""
    areas = class_areas(cohorts)
    return areas[:, 1] if areas.shape[1] == 2 else nan_mean(areas)


def _all(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return (np.ones(len(cohorts.truth)),)


def _each_class(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return [of_class for of_class in cohorts.true.T if of_class.any()]


def _members(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return (cohorts.true,)


def _first(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return (cohorts.true[:, 0],)


def _second(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return (cohorts.true[:, 1],)


def _others(cohorts: Cohorts) -> Sequence[np.ndarray]:
    return (1 - cohorts.true,)


OVERALL = (
    Measure("accuracy", "accuracy", accuracy, _all),
    Measure("macro_f1", "macro F1", lambda cohorts: nan_mean(f1_score(cohorts)), _each_class),
    Measure("weighted_f1", "weighted F1", weighted_f1, _all),
    Measure("macro_precision", "macro precision", macro_precision, _each_class),
    Measure("macro_recall", "macro recall (balanced accuracy)", lambda cohorts: nan_mean(recall(cohorts)), _each_class),
    Measure("auc", "AUC", area, _each_class),
    Measure("sensitivity", "sensitivity", lambda cohorts: recall(cohorts)[:, 1], _second, of_two=True),
    Measure("specificity", "specificity", lambda cohorts: recall(cohorts)[:, 0], _first, of_two=True),
)
"""Of all classes together; macro averages are over the classes with support."""

OF_A_CLASS = (
    Measure("precision", "precision", precision, lambda cohorts: (cohorts.predicted,)),
    Measure("recall", "recall", recall, _members),
    Measure("specificity", "specificity", specificity, _others),
    Measure("f1", "F1", f1_score, _members),
    Measure("auc", "AUC", class_areas, lambda cohorts: (cohorts.true, 1 - cohorts.true)),
)
"""Of each class against the rest."""


def overall_of(classes: Sequence[str]) -> tuple[Measure, ...]:
    """The measures of all classes together that these classes can have."""
    return tuple(measure for measure in OVERALL if len(classes) == 2 or not measure.of_two)


def title_of(name: str) -> str:
    """A measure of ``metrics.json`` in words; of one that is not known, the name without underscores."""
    titles = {measure.name: measure.title for measure in (*OVERALL, *OF_A_CLASS, *REGION_MEASURES)}
    return {**titles, **SURVIVAL_TITLES, "mean_dice": "mean Dice"}.get(name, name.replace("_", " "))


def _area(is_class: np.ndarray, score: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """U / (m n) of each cohort, (cohorts,): the pairs of a row of the class and another that are in order.

    NaN where a score is: it has no place in the order.
    """
    if np.isnan(score).any():
        return np.full(len(counts), np.nan)
    order = np.argsort(score)
    ranked = score[order]
    groups = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])  # where the next higher score begins
    members = np.add.reduceat((counts * is_class)[:, order], groups, axis=1)
    others = np.add.reduceat((counts * (1 - is_class))[:, order], groups, axis=1)
    below = others.cumsum(axis=1) - others
    return divide((members * (below + others / 2)).sum(axis=1), members.sum(axis=1) * others.sum(axis=1))
