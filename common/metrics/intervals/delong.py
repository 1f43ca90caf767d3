"""DeLong's interval and test of an AUC, also where patients have several scans, and what chance alone would give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, rankdata
from scipy.stats import t as student

from common.metrics.intervals.bootstrap import LEVEL
from common.metrics.intervals.left_out import Error, share_interval, welch_freedom

CHANCE = 0.5
MOST_EXACT = 10_000
"""Pairs: beyond it the null distribution is taken as normal, which makes its tails a little longer."""


@dataclass(frozen=True)
class AreaTest:
    """An AUC against chance.

    Args:
        area: the AUC.
        error: its standard error.
        low: of the interval.
        high: of the interval.
        p_value: two-sided, of the AUC being 0.5. NaN, as the interval, where no error can be estimated: too few
            patients, or all pairs in order.
    """

    area: float
    error: float
    low: float
    high: float
    p_value: float


def delong_test(
    is_class: np.ndarray, score: np.ndarray, subjects: Iterable[str] | None = None, level: float = LEVEL
) -> AreaTest:
    """Compare an AUC with 0.5 by the variance of its placements.

    A row's placement is the share of the rows of the other class that are in the right order with it; ties count half.
    With one row per subject this is DeLong's method. Rows of one subject are correlated, so their placements are summed
    up first, as Obuchowski does for clustered data. With few patients of a class the error is itself uncertain:
    Student's t with Welch and Satterthwaite's degrees of freedom takes the place of the normal distribution. The
    interval is symmetric on the scale of log-odds.

    Args:
        is_class: true for the class that should score higher, (n,).
        score: (n,).
        subjects: whose row it is; each of its own by default.
        level: of the interval.

    Returns:
        The AUC with its error, interval and p-value; all NaN where one class is missing.

    References:
        DeLong et al., Biometrics 44 (1988), 837-845; Obuchowski, Biometrics 53 (1997), 567-578; mid-ranks: Sun &
        Xu, IEEE Signal Processing Letters 21 (2014), 1389-1393.
    """
    truth = np.asarray(is_class, dtype=bool)
    if not 0 < truth.sum() < len(truth):
        return AreaTest(*[float("nan")] * 5)
    placed = _placements(truth, np.asarray(score, dtype=float))
    # DeLong 1988: the AUC is the mean of the components V10, which is the Mann-Whitney statistic.
    area = float(placed[truth].mean())
    names = np.arange(len(truth)).astype(str) if subjects is None else np.asarray(list(subjects), dtype=str)
    error, freedom = _error(truth, placed - area, names)
    if not error > 0 or area in (0, 1):
        return AreaTest(area, error, *[float("nan")] * 3)
    low, high = share_interval(area, Error(error, freedom), len(truth), level)
    return AreaTest(area, error, low, high, float(2 * student.sf(abs(area - CHANCE) / error, freedom)))


def chance_interval(is_class: np.ndarray, level: float = 0.999) -> tuple[float, float]:
    """The interval that holds the AUC of an uninformed network with probability ``level``, for any predictions.

    Mann and Whitney's distribution, exact up to :data:`MOST_EXACT` pairs; equal scores would only narrow it.

    Args:
        is_class: the truth, one value per patient, (n,).
        level: of the interval, whose tails are equal.

    Returns:
        The lowest and the highest AUC; NaN where one class is missing.

    References:
        Mann & Whitney, Annals of Mathematical Statistics 18 (1947), 50-60.
    """
    truth = np.asarray(is_class, dtype=bool)
    few, many = sorted((int(truth.sum()), int((~truth).sum())))
    if not few:
        return float("nan"), float("nan")
    if few * many > MOST_EXACT:
        # The variance of U is m n (m + n + 1) / 12 under chance, and the AUC is U / (m n).
        reach = float(norm.ppf((1 + level) / 2) * np.sqrt((few + many + 1) / (12 * few * many)))
        return CHANCE - reach, CHANCE + reach
    below = np.cumsum(_pairs_in_order(few, many))
    lowest = int(np.searchsorted(below, (1 - level) / 2, side="right")) / (few * many)
    return lowest, 1 - lowest


def _placements(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """The structural components of DeLong 1988, (n,): V10 for the rows of the class, V01 for the others.

    They come from mid-ranks, as in Sun & Xu 2014. With m rows X of the class, n rows Y of the rest, mid-ranks T_Z among
    all rows and T_X, T_Y within each group: V10(X_i) = (T_Z(X_i) - T_X(X_i)) / n, and
    V01(Y_j) = 1 - (T_Z(Y_j) - T_Y(Y_j)) / m.
    """
    placed = np.empty(len(truth))
    ranks = rankdata(score)
    for own in (True, False):
        mine = truth == own
        below = (ranks[mine] - rankdata(score[mine])) / (~mine).sum()
        placed[mine] = below if own else 1 - below
    return placed


def _error(truth: np.ndarray, deviation: np.ndarray, subjects: np.ndarray) -> Error:
    """The standard error of Obuchowski 1997, for clustered rows, and its degrees of freedom.

    With one row per subject it is that of DeLong 1988: var = S10 / m + S01 / n, the variances of the components V10 and
    V01 over the sizes of the two groups.

    Args:
        truth: (n,) whether a row is of the class.
        deviation: of each component from the AUC, (n,).
        subjects: whose row it is, (n,).
    """
    _, places = np.unique(subjects, return_inverse=True)
    sums = {own: np.bincount(places[truth == own], deviation[truth == own], places.max() + 1) for own in (True, False)}
    sizes = {own: int((truth == own).sum()) for own in (True, False)}
    clusters = {own: len(np.unique(places[truth == own])) for own in (True, False)}
    if min(clusters.values()) < 2:
        return Error(float("nan"), float("nan"))
    # S10 / m + S01 / n, from the sums of the components of each subject.
    parts = [
        clusters[own] / (clusters[own] - 1) * float(sums[own] @ sums[own]) / sizes[own] ** 2 for own in (True, False)
    ]
    # The covariance S11 / (m n) of subjects with rows in both groups: zero where each subject has one row.
    total = len(sums[True])
    together = total / (total - 1) * float(sums[True] @ sums[False]) / (sizes[True] * sizes[False])
    freedom = welch_freedom(parts, list(clusters.values()), total)
    return Error(float(np.sqrt(max(sum(parts) + 2 * together, 0.0))), freedom)


def _pairs_in_order(few: int, many: int) -> np.ndarray:
    """The probability under chance of each number of pairs in order, which is U, (few * many + 1,).

    Mann and Whitney's recursion over the group of the highest row. With i and j rows in the groups:
    p(i, j, U) = i / (i + j) * p(i - 1, j, U - j) + j / (i + j) * p(i, j - 1, U).
    """
    chances = [np.ones(1)] * (many + 1)
    for i in range(1, few + 1):
        more = [np.ones(1)]
        for j in range(1, many + 1):
            merged = np.zeros(i * j + 1)
            merged[j:] += i * chances[j]
            merged[: i * (j - 1) + 1] += j * more[j - 1]
            more.append(merged / (i + j))
        chances = more
    return chances[many]
