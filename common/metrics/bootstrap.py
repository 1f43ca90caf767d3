"""Cohorts drawn with replacement, and measures of all of them at once.

Subjects are drawn, each with all its rows (scans, slices). A drawn cohort is a row of ``counts``: how often each row
of the table is in it. Measures that are sums over rows, or over pairs of rows, are then matrix products. A thousand
cohorts of hundreds of patients take milliseconds. Of tables with many rows, such as all slices that a network was
trained on, cohorts are drawn block by block, so that the memory does not grow with rows times cohorts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

RESAMPLES = 1000
LEVEL = 0.95
LARGEST_BLOCK = 4_000_000
"""Counts that are drawn at a time, 32 MB; what is computed from them takes a few times as much."""

Summary = dict[str, float | int]
"""``mean`` (the estimate) with ``low`` and ``high``, and ``n``; as :func:`summarise`."""

STATISTICS: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}


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
    blocks = [measure(counts) for counts in draw_blocks(subjects, seed, resamples)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def summarise_draws(estimate: float, drawn: np.ndarray, patients: int, level: float = LEVEL) -> Summary:
    """The estimate with the percentile interval of the drawn cohorts; those without a value (NaN) are left out.

    There is no interval for a single patient, or where the estimate is not defined.

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
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return {"mean": float(estimate), "low": float(low), "high": float(high), "n": patients}


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


@dataclass(frozen=True)
class Interval:
    """A statistic and its interval.

    Args:
        estimate: the statistic.
        low: of the interval.
        high: of the interval.
        n: patients with a value.
    """

    estimate: float
    low: float
    high: float
    n: int


def bootstrap_interval(
    values_by_patient: Mapping[str, float] | Iterable[float],
    statistic: str = "mean",
    level: float = LEVEL,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over patients.

    A patient whose value is NaN is left out (and not counted in ``n``). Without any patient all is NaN. With one
    patient the interval is NaN, since the spread between patients is unknown. Equal values give an interval of no
    width. The order of the patients does not matter.

    Args:
        values_by_patient: one value per patient, never per slice: slices of a patient are not independent.
        statistic: ``mean`` or ``median``.
        level: of the interval.
        resamples: how many cohorts are drawn.
        seed: of the draw.

    Raises:
        ValueError: an unknown statistic.
    """
    if statistic not in STATISTICS:
        raise ValueError(f"'{statistic}' is none of {', '.join(STATISTICS)}")
    given = values_by_patient.values() if isinstance(values_by_patient, Mapping) else values_by_patient
    values = np.sort(np.asarray([value for value in given if not np.isnan(value)], dtype=float))
    if not len(values):
        return Interval(np.nan, np.nan, np.nan, 0)
    estimate = float(STATISTICS[statistic](values))
    if len(values) == 1:
        return Interval(estimate, np.nan, np.nan, 1)
    counts = draw_cohorts((f"{place:09d}" for place in range(len(values))), seed, resamples).astype(int)
    drawn = [float(STATISTICS[statistic](np.repeat(values, drawn_times))) for drawn_times in counts]
    summary = summarise_draws(estimate, np.array(drawn), len(values), level)
    return Interval(estimate, summary["low"], summary["high"], len(values))


def summarise(values_by_patient: Mapping[str, float] | Iterable[float], seed: int = 0) -> dict[str, float | int]:
    """Mean and median over patients, with a bootstrap interval of the mean.

    Args:
        values_by_patient: one value per patient; NaN where a patient has none.
        seed: of the bootstrap.

    Returns:
        ``mean`` with its 95 % interval ``low`` .. ``high``, ``median`` and the number of patients ``n``.
    """
    given = values_by_patient.values() if isinstance(values_by_patient, Mapping) else values_by_patient
    values = list(given)
    mean = bootstrap_interval(values, "mean", seed=seed)
    known = [value for value in values if not np.isnan(value)]
    median = float(np.median(known)) if known else float("nan")
    return {"mean": mean.estimate, "median": median, "low": mean.low, "high": mean.high, "n": mean.n}
