"""Survival as classes: short, mid and long, by tertiles of the training patients or by given numbers of days.

A patient who was alive at the last contact is censored: the class is known only where the last contact falls into the
last class, since any later death is in that class too.
"""

from __future__ import annotations

import logging
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from common.cohorts.labels.classes import count_classes, tell_counts
from common.errors import DatasetError, KnobError, Problem
from common.records import Record
from common.tasks.survival import TASK as SURVIVAL

THREE = SURVIVAL.classes
EXAMPLE = "Give ascending numbers of days above 0, such as --thresholds 300,451, or null for classes of equal size."

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SurvivalClasses:
    """Classes of survival, the shortest first.

    Args:
        thresholds: days, ascending: class k holds survivals of at least threshold k - 1 and less than threshold k.
    """

    thresholds: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """One per class, such as ``mid (266 to 476 days)``."""
        count = len(self.thresholds) + 1
        kinds = THREE if count == len(THREE) else [f"class {place} of {count}" for place in range(1, count + 1)]
        return tuple(f"{kind} ({span})" for kind, span in zip(kinds, self._spans(), strict=True))

    def label(self, record: Mapping[str, Any]) -> int | None:
        """The class of a patient, ``None`` where it is not known: no time is recorded, or censoring leaves it open."""
        days = record.get("survival_days")
        if days is None or (record.get("alive") and days < self.thresholds[-1]):
            return None
        return bisect_right(self.thresholds, days)

    def to_json(self) -> dict[str, Any]:
        """Plain lists, fit for a checkpoint."""
        return {"thresholds": list(self.thresholds), "names": list(self.names)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SurvivalClasses:
        """The inverse of :meth:`to_json`."""
        return cls(tuple(content["thresholds"]))

    def _spans(self) -> list[str]:
        first, last = self.thresholds[0], self.thresholds[-1]
        middle = [f"{low:g} to {_last_day(high)} days" for low, high in pairwise(self.thresholds)]
        return [f"under {first:g} days", *middle, f"{last:g} days or more"]


def fit_survival_classes(
    train_records: Sequence[Record],
    thresholds: str | float | Iterable[float] | None = None,
    classes: int = 3,
    learnt: Mapping[str, Any] | None = None,
) -> SurvivalClasses:
    """Fit classes that each have training patients; the log counts them. Or take those of the weights to evaluate.

    Args:
        train_records: the training side; the survival of the others is not used.
        thresholds: in days, as a list or comma-separated; ``None`` for quantiles of the uncensored patients' days
            (tertiles for three classes: of all BraTS 2020 those of P3, 5-265, 268-476 and 486-1767 days).
        classes: how many, at least 2, where no thresholds are given.
        learnt: provenance of the weights to evaluate; the classes under ``survival`` in it are used.

    Raises:
        KnobError: thresholds that are not ascending numbers above 0, or fewer than two classes.
        DatasetError: fewer uncensored patients than classes, or a class without a patient.
    """
    if learnt and "survival" in learnt:
        return SurvivalClasses.from_json(learnt["survival"])
    given = None if thresholds is None or thresholds == "" else _parse_thresholds(thresholds)
    wanted = classes if given is None else len(given) + 1
    if wanted < 2:
        raise KnobError(Problem(f"{wanted} classes leave nothing to classify", "--num_classes", "Use 2 or more."))
    dead = [days for r in train_records if (days := r.get("survival_days")) is not None and not r.get("alive")]
    if len(dead) < wanted:
        what = f"{len(dead)} patients with a known day of death cannot fill {wanted} classes of survival"
        hint = "Add patients, or ask for fewer classes (--num_classes or --thresholds)."
        raise DatasetError(Problem(what, "the training side of the split", hint))
    fitted = SurvivalClasses(given or day_quantiles(dead, wanted))
    labels = [label for label in map(fitted.label, train_records) if label is not None]
    counts = count_classes(labels, fitted.names)
    if not all(counts.values()):
        raise DatasetError(_describe_empty(counts, dead, given is not None))
    logger.info("survival classes: %s", tell_counts(counts))
    return fitted


def day_quantiles(days: Sequence[float], parts: int) -> tuple[float, ...]:
    """Thresholds between parts of about equal size.

    Args:
        days: of all patients.
        parts: how many.

    Returns:
        The first whole days after the quantiles: a patient who died on the day of a quantile belongs below it.
    """
    shares = np.arange(1, parts) / parts
    return tuple(float(math.floor(bound) + 1) for bound in np.quantile(days, shares))


def _parse_thresholds(thresholds: Any) -> tuple[float, ...]:
    parts = thresholds.split(",") if isinstance(thresholds, str) else thresholds
    parts = [parts] if isinstance(parts, int | float) else list(parts)
    try:
        days = [float(part) for part in parts]
    except (TypeError, ValueError):
        days = []
    in_order = all(low < high for low, high in pairwise([0, *days, math.inf]))
    if not days or not in_order:
        given = ", ".join(str(part).strip() for part in parts)
        raise KnobError(Problem(f"'{given}' are not thresholds of survival", "--thresholds", EXAMPLE))
    return tuple(days)


def _describe_empty(counts: dict[str, int], days: Sequence[float], is_given: bool) -> Problem:
    empty = " or ".join(name for name, count in counts.items() if count == 0)
    if is_given:
        hint = (
            f"Choose --thresholds within what is recorded, {min(days):g} to {max(days):g} days, or null for classes of "
            "equal size. P1's 1 and 5 years need the patients that configs/paper.yaml invents: no patient of BraTS is "
            "known to have lived for 5 years."
        )
    else:
        hint = "Many patients share a time: ask for fewer classes (--num_classes), or give --thresholds in days."
    return Problem(
        f"no patient has a survival of {empty}: {tell_counts(counts)}", "the training side of the split", hint
    )


def _last_day(threshold: float) -> str:
    """The last whole day before a threshold, in words where the threshold lies within a day."""
    return f"{threshold - 1:g}" if threshold == int(threshold) else f"under {threshold:g}"
