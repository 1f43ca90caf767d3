"""Three t-tests of two networks over the folds of a cross-validation, of which only the last one is valid here.

Both networks are tested on the same images in each fold. The *two-sample* test assumes independent groups and ignores
this pairing. The *paired* test assumes that the folds are independent. They are not: any two share most of their
training images, so the test finds too many differences. The *corrected resampled* test of Nadeau and Bengio increases
the variance of the paired test by the ratio of test to training data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student
from scipy.stats import ttest_ind, ttest_rel

from common.metrics.intervals.bootstrap import LEVEL, Summary


@dataclass(frozen=True)
class TTest:
    """A two-sided test of equal means.

    Args:
        statistic: t; above 0 where the mean of the first is larger. NaN where nothing varies.
        freedom: degrees of freedom.
        p_value: how often chance alone gives such a difference or a larger one.
    """

    statistic: float
    freedom: float
    p_value: float

    def to_json(self) -> dict[str, Any]:
        """Plain numbers under the names of the fields."""
        return asdict(self)


def two_sample_t(first: Sequence[float], second: Sequence[float]) -> TTest:
    """Student's test of two independent groups, the variances taken as equal: what P2 prints.

    Args:
        first: one value per fold.
        second: as ``first``.
    """
    if np.ptp(first) == np.ptp(second) == 0:
        return _undefined(len(first) + len(second) - 2)
    found = ttest_ind(first, second)
    return TTest(float(found.statistic), float(found.df), float(found.pvalue))


def paired_t(first: Sequence[float], second: Sequence[float]) -> TTest:
    """Student's test of the differences fold by fold.

    Args:
        first: one value per fold.
        second: the same folds.
    """
    if np.ptp(np.subtract(first, second)) == 0:
        return _undefined(len(first) - 1)
    found = ttest_rel(first, second)
    return TTest(float(found.statistic), float(found.df), float(found.pvalue))


def corrected_resampled_t(first: Sequence[float], second: Sequence[float], test_to_train: float) -> TTest:
    """The paired test with the variance times (1 / k + test_to_train) instead of 1 / k.

    Args:
        first: one value per fold, k of them.
        second: the same folds.
        test_to_train: size of the test set over that of the training set in a fold: 1 / (k - 1) for k folds.

    References:
        Nadeau & Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), 239-281.
    """
    differences = np.subtract(first, second)
    folds = len(differences)
    if folds < 2 or np.ptp(differences) == 0:
        return _undefined(folds - 1)
    # Nadeau & Bengio: the corrected resampled t-test, with n2 / n1 = test_to_train.
    variance = (1 / folds + test_to_train) * differences.var(ddof=1)
    statistic = float(differences.mean() / np.sqrt(variance))
    return TTest(statistic, folds - 1, float(2 * student.sf(abs(statistic), folds - 1)))


def corrected_resampled_interval(values: Sequence[float], test_to_train: float, level: float = LEVEL) -> Summary:
    """The mean over the folds with the interval that belongs to :func:`corrected_resampled_t`.

    Unlike an interval over patients, it holds how results change with the patients that a network is trained on.

    Args:
        values: one per fold; those that are NaN are left out.
        test_to_train: as for :func:`corrected_resampled_t`.
        level: of the interval.

    Returns:
        ``mean``, ``low`` and ``high`` (NaN where nothing varies), and ``n``, the number of folds.

    References:
        Nadeau & Bengio, Inference for the Generalization Error, Machine Learning 52 (2003), 239-281.
    """
    known = np.array([value for value in values if not np.isnan(value)], dtype=float)
    folds, mean = len(known), float(known.mean()) if len(known) else np.nan
    if folds < 2 or np.ptp(known) == 0:
        return {"mean": mean, "low": np.nan, "high": np.nan, "n": folds}
    error = np.sqrt((1 / folds + test_to_train) * known.var(ddof=1))
    reach = float(student.ppf((1 + level) / 2, folds - 1) * error)
    return {"mean": mean, "low": mean - reach, "high": mean + reach, "n": folds}


def compare_folds(first: Sequence[float], second: Sequence[float]) -> dict[str, TTest]:
    """All three tests for the k folds of one cross-validation.

    Args:
        first: one value per fold.
        second: the same folds.

    Returns:
        The tests under the names ``two-sample t``, ``paired t`` and ``corrected resampled t``.

    Raises:
        ValueError: the numbers of folds differ, or there are fewer than two.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"the same two folds or more are needed, not {len(first)} and {len(second)}")
    return {
        "two-sample t": two_sample_t(first, second),
        "paired t": paired_t(first, second),
        "corrected resampled t": corrected_resampled_t(first, second, 1 / (len(first) - 1)),
    }


def _undefined(freedom: int) -> TTest:
    return TTest(float("nan"), freedom, float("nan"))
