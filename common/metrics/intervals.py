"""How sure a mean over patients is: bootstrap intervals, patients drawn with replacement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import bootstrap

STATISTICS: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A statistic and its interval; ``n`` patients had a value."""

    estimate: float
    low: float
    high: float
    n: int


def bootstrap_interval(
    values_by_patient: Mapping[str, float] | Iterable[float],
    statistic: str = "mean",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap over patients.

    A patient whose value is NaN has none and is left out (and not counted in ``n``). Without any patient all is NaN;
    of one patient the estimate is known and the interval is NaN, since nothing tells how patients differ. Equal
    values give an interval of no width. The order of the patients does not matter.

    Args:
        values_by_patient: a value a patient, never one a slice: slices of a patient are not independent.
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
    drawn = bootstrap(
        (values,),
        STATISTICS[statistic],
        n_resamples=resamples,
        confidence_level=level,
        method="percentile",
        random_state=np.random.default_rng(seed),
    )
    low, high = drawn.confidence_interval
    return Interval(estimate, float(low), float(high), len(values))


def summarise(values_by_patient: Mapping[str, float] | Iterable[float], seed: int = 0) -> dict[str, float | int]:
    """``mean`` with its 95 % interval ``low`` .. ``high``, ``median`` and the number of patients ``n``."""
    given = values_by_patient.values() if isinstance(values_by_patient, Mapping) else values_by_patient
    values = list(given)
    mean = bootstrap_interval(values, "mean", seed=seed)
    known = [value for value in values if not np.isnan(value)]
    median = float(np.median(known)) if known else float("nan")
    return {"mean": mean.estimate, "median": median, "low": mean.low, "high": mean.high, "n": mean.n}
