"""Cohorts drawn with replacement, and measures of all of them at once: for what is no share between 0 and 1.

Subjects are drawn, each with all its rows (scans, slices). A drawn cohort is a row of ``counts``: how often each row
of the table is in it. Measures that are sums over rows, or over pairs of rows, are then matrix products. A thousand
cohorts of hundreds of patients take milliseconds. Of tables with many rows, such as all slices that a network was
trained on, cohorts are drawn block by block, so that the memory does not grow with rows times cohorts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from scipy.stats import bootstrap, norm
from scipy.stats import t as student

RESAMPLES = 1000
LEVEL = 0.95
LARGEST_BLOCK = 4_000_000
"""Counts that are drawn at a time, 32 MB; what is computed from them takes a few times as much."""

Summary = dict[str, float | int]
"""``mean`` (the estimate) with ``low`` and ``high``, and ``n``; as :func:`summarise`."""


def draw_cohorts(subjects: Iterable[str], seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each row is in each drawn cohort, (resamples, rows).

    The draw is not stratified by class. It does not depend on the order of the rows.

    Args:
        subjects: whose row it is, for every row.
        seed: of the draw.
        resamples: how many cohorts.
    """
    return np.concatenate(list(draw_blocks(subjects, seed, resamples)))


def draw_blocks(subjects: Iterable[str], seed: int = 0, resamples: int = RESAMPLES) -> Iterator[np.ndarray]:
    """The cohorts of :func:`draw_cohorts`, as many at a time as :data:`LARGEST_BLOCK` allows, (cohorts, rows).

    Args:
        subjects: as of :func:`draw_cohorts`, like the next two.
        seed: likewise.
        resamples: likewise.
    """
    names, places = np.unique(np.asarray(list(subjects), dtype=str), return_inverse=True)
    rng, chances = np.random.default_rng(seed), np.full(len(names), 1 / len(names))
    largest = max(1, LARGEST_BLOCK // max(1, len(places)))
    for first in range(0, resamples, largest):
        drawn = rng.multinomial(len(names), chances, size=min(largest, resamples - first))
        yield drawn[:, places].astype(float)


def measure_drawn(
    measure: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    subjects: Iterable[str],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, np.ndarray]:
    """Measures of drawn cohorts, computed block by block.

    Args:
        measure: of a block of counts, (cohorts, rows): values (cohorts,) under their names.
        subjects: as of :func:`draw_cohorts`, like the next two.
        seed: likewise.
        resamples: likewise.

    Returns:
        (resamples,) under each name.
    """
    return measure_blocks(measure, draw_blocks(subjects, seed, resamples))


def measure_blocks(
    measure: Callable[[np.ndarray], Mapping[str, np.ndarray]], blocks: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """Measures of many cohorts that come block by block.

    Args:
        measure: as of :func:`measure_drawn`.
        blocks: of counts, (cohorts, rows) each; at least one.

    Returns:
        (cohorts of all blocks,) under each name.
    """
    parts = [measure(counts) for counts in blocks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def summarise_draws(estimate: float, drawn: np.ndarray, patients: int, level: float = LEVEL) -> Summary:
    """The estimate with the interval of the drawn cohorts; those without a value (NaN) are left out.

    The percentiles are those of :func:`tails`. There is no interval for a single patient, or where the estimate is not
    defined.

    Args:
        estimate: of the cohort itself.
        drawn: the same statistic of each drawn cohort, (cohorts,).
        patients: how many the estimate is based on.
        level: of the interval.

    Returns:
        ``mean`` (the estimate), ``low``, ``high`` and ``n``.
    """
    known = drawn[~np.isnan(drawn)]
    if np.isnan(estimate):
        return {"mean": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0}
    if patients < 2 or not len(known):
        return {"mean": float(estimate), "low": float("nan"), "high": float("nan"), "n": patients}
    tail = tails(patients, level)
    low, high = np.quantile(known, [tail, 1 - tail])
    return {"mean": float(estimate), "low": float(low), "high": float(high), "n": patients}


def tails(patients: int, level: float = LEVEL) -> float:
    """The percentile of drawn cohorts at which an interval ends: a little below (1 - level) / 2.

    The spread of drawn cohorts is too small by the root of (n - 1) / n, and not known exactly, as in Student's t. No
    cohort lies beyond the first of :data:`RESAMPLES`, at which it ends at the latest.

    Args:
        patients: n, at least two.
        level: of the interval.

    References:
        Hesterberg, The American Statistician 69 (2015), 371-386, section 4.4 ("expanded percentile").
    """
    percentile = norm.cdf(np.sqrt(patients / (patients - 1)) * student.ppf((1 - level) / 2, patients - 1))
    return max(float(percentile), 1 / (2 * RESAMPLES))


def share_of_pairs(counts: np.ndarray, wins: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """For each cohort the share of its pairs that are won; NaN where it has no pair.

    Args:
        counts: (cohorts, rows).
        wins: the score of the pair (i, j), (rows, rows).
        pairs: whether (i, j) counts as a pair, (rows, rows).
    """
    total = ((counts @ pairs.astype(float)) * counts).sum(axis=1)
    won = ((counts @ wins.astype(float)) * counts).sum(axis=1)
    return divide(won, total)


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Division where 0 / 0 is NaN without a warning."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    return np.divide(numerator, denominator, out=np.full(shape, np.nan), where=denominator > 0)


def nan_mean(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without the NaN; NaN without a warning where all are NaN."""
    known = ~np.isnan(values)
    return divide(np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1))


def bootstrap_interval(
    values_by_patient: Mapping[str, float] | Iterable[float], level: float = LEVEL, seed: int = 0
) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (BCa) of a mean over patients, by SciPy.

    Its percentiles are those of :func:`tails`. A patient whose value is NaN is left out. With fewer than two patients
    the interval is NaN, since the spread between patients is unknown. Equal values give an interval of no width. The
    order of the patients does not matter.

    Args:
        values_by_patient: one value per patient, never per slice: slices of a patient are not independent.
        level: of the interval.
        seed: of the draw.

    References:
        Efron, Journal of the American Statistical Association 82 (1987), 171-185.
    """
    values = np.sort(_known(values_by_patient))
    if len(values) < 2:
        return float("nan"), float("nan")
    if values[0] == values[-1]:
        return float(values[0]), float(values[0])
    inner = 1 - 2 * tails(len(values), level)
    random = np.random.default_rng(seed)
    found = bootstrap((values,), np.mean, n_resamples=RESAMPLES, confidence_level=inner, random_state=random)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def summarise(values_by_patient: Mapping[str, float] | Iterable[float], seed: int = 0) -> dict[str, float | int]:
    """Mean and median over patients, with a bootstrap interval of the mean.

    Args:
        values_by_patient: one value per patient; NaN where a patient has none.
        seed: of the bootstrap.

    Returns:
        ``mean`` with its 95 % interval ``low`` .. ``high``, ``median`` and the number of patients ``n``.
    """
    values = _known(values_by_patient)
    mean, median = (float(of(values)) if len(values) else float("nan") for of in (np.mean, np.median))
    low, high = bootstrap_interval(values, seed=seed)
    return {"mean": mean, "median": median, "low": low, "high": high, "n": len(values)}


def _known(values_by_patient: Mapping[str, float] | Iterable[float]) -> np.ndarray:
    given = values_by_patient.values() if isinstance(values_by_patient, Mapping) else values_by_patient
    values = np.asarray(list(given), dtype=float)
    return values[~np.isnan(values)]
