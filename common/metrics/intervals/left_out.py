"""Intervals of measures between 0 and 1, from leaving out one patient after another (the jackknife).

The cohort without a patient, with all that patient's rows, tells how much the measure depends on that patient; the
spread over all patients is its standard error. The interval is symmetric on the scale of log-odds, where a measure near
1 is not skewed, by Student's t. Where all answers are right, or none, nothing varies, and the bound is the exact one of
a binomial share. Percentiles of a bootstrap are too narrow in both cases: ``docs/statistics.md`` has the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit
from scipy.stats import binomtest
from scipy.stats import t as student

from common.metrics.intervals.bootstrap import LARGEST_BLOCK, LEVEL, Summary, divide, measure_blocks


class Error(NamedTuple):
    """The standard error of a measure, and its degrees of freedom; NaN where it cannot be estimated."""

    error: float
    freedom: float


def leave_one_out(subjects: Sequence[str]) -> Iterator[np.ndarray]:
    """Cohorts that each lack one patient, in the order of the patients' names.

    Args:
        subjects: whose row it is, (rows,).

    Yields:
        How often each row is in each cohort, (cohorts, rows), as many at a time as :data:`LARGEST_BLOCK` allows.
    """
    names, places = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    most = max(1, LARGEST_BLOCK // max(1, len(places)))
    for first in range(0, len(names), most):
        yield (np.arange(first, min(first + most, len(names)))[:, None] != places).astype(float)


def measure_without(
    subjects: Sequence[str], measure: Callable[[np.ndarray], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Measures of the cohorts that lack a patient.

    Args:
        subjects: whose row it is, (rows,).
        measure: the measures of many cohorts, (cohorts,) each, of how often each row is in them, (cohorts, rows).

    Returns:
        By name, (patients,).
    """
    return measure_blocks(measure, leave_one_out(subjects))


def jackknife_error(without: np.ndarray, groups: np.ndarray | None = None) -> Error:
    """The standard error of a measure.

    The degrees of freedom are Welch and Satterthwaite's: of an AUC that depends on the two patients of a rare class
    they are about one, however many others there are.

    Args:
        without: the measure of the cohort without each patient, (patients,).
        groups: the class of each patient, (patients,); all of one by default.

    Returns:
        NaN where the measure is not defined without one of the patients, and of a single patient.

    References:
        Efron & Stein, Annals of Statistics 9 (1981), 586-596; Satterthwaite, Biometrics Bulletin 2 (1946), 110-114.
    """
    patients = len(without)
    if patients < 2 or np.isnan(without).any():
        return Error(float("nan"), float("nan"))
    error = float(np.sqrt((patients - 1) / patients * np.sum((without - without.mean()) ** 2)))
    members = [without[groups == group] for group in np.unique(groups)] if groups is not None else [without]
    several = [values for values in members if len(values) > 1]
    parts = [float(np.var(values) * len(values)) for values in several]
    return Error(error, welch_freedom(parts, [len(values) for values in several], patients))


def welch_freedom(parts: Sequence[float], sizes: Sequence[int], patients: int) -> float:
    """The degrees of freedom of a variance that is the sum of those of several groups.

    Args:
        parts: what each group adds.
        sizes: its patients, at least two.
        patients: of all groups; one less is the most.
    """
    whole = sum(parts)
    if not whole > 0:
        return patients - 1.0
    freedom = whole**2 / sum(part**2 / (size - 1) for part, size in zip(parts, sizes, strict=True))
    return float(np.clip(freedom, 1, patients - 1))


def share_interval(estimate: float, found: Error, fewest: int, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a measure between 0 and 1.

    Args:
        estimate: of the cohort itself.
        found: its standard error.
        fewest: patients that it is a share of; of an AUC those of the rarer class.
        level: of the interval.

    Returns:
        Low and high; NaN where the error cannot be estimated.
    """
    if np.isnan(estimate) or np.isnan(found.error) or fewest < 2:
        return float("nan"), float("nan")
    if estimate in (0, 1):
        exact = binomtest(fewest if estimate else 0, fewest).proportion_ci(level, method="exact")
        return float(exact.low), float(exact.high)
    # The delta method: the error of logit(x) is that of x over x (1 - x).
    reach = student.ppf((1 + level) / 2, found.freedom) * found.error / (estimate * (1 - estimate))
    return float(expit(logit(estimate) - reach)), float(expit(logit(estimate) + reach))


def summarise_share(
    estimate: float, without: np.ndarray, patients: int, fewest: int | None = None, groups: np.ndarray | None = None
) -> Summary:
    """A measure between 0 and 1 with its 95 % interval over patients.

    Args:
        estimate: of the cohort itself.
        without: the same of the cohort without each patient, (patients,).
        patients: how many the estimate is based on.
        fewest: as of :func:`share_interval`; ``patients`` by default.
        groups: as of :func:`jackknife_error`.

    Returns:
        ``mean`` (the estimate), ``low``, ``high`` and ``n``, which is 0 where the estimate is not defined.
    """
    low, high = share_interval(estimate, jackknife_error(without, groups), patients if fewest is None else fewest)
    return {"mean": float(estimate), "low": low, "high": high, "n": 0 if np.isnan(estimate) else patients}


def summarise_right(subjects: Sequence[str], is_right: np.ndarray, weights: np.ndarray | None = None) -> Summary:
    """The share of rows that are right with its 95 % interval over patients.

    Args:
        subjects: whose row it is, (rows,).
        is_right: (rows,) of true and false.
        weights: of the rows, (rows,); equal by default.
    """
    if not len(is_right):
        return summarise_share(float("nan"), np.empty(0), 0)
    given = np.ones(len(is_right)) if weights is None else weights

    def measure(counts: np.ndarray) -> dict[str, np.ndarray]:
        return {"share": divide((counts * given) @ is_right.astype(float), counts @ given)}

    whole, without = measure(np.ones((1, len(given))))["share"][0], measure_without(subjects, measure)["share"]
    return summarise_share(whole, without, len(without))


def summarise_difference(estimate: float, without: np.ndarray, patients: int, groups: np.ndarray) -> Summary:
    """The difference of two measures of the same patients with its 95 % interval, symmetric by Student's t.

    Args:
        estimate: of the cohort itself.
        without: the same of the cohort without each patient, (patients,).
        patients: how many the estimate is based on.
        groups: as of :func:`jackknife_error`.

    Returns:
        As :func:`summarise_share`.
    """
    error, freedom = jackknife_error(without, groups)
    reach = float(student.ppf((1 + LEVEL) / 2, freedom)) * error if not np.isnan(error) else float("nan")
    count = 0 if np.isnan(estimate) else patients
    return {"mean": float(estimate), "low": float(estimate - reach), "high": float(estimate + reach), "n": count}
