"""How well probabilities predict classes: the usual measures, and their uncertainty over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from common.metrics.bootstrap import RESAMPLES, Summary, measure_drawn, summarise_draws
from common.metrics.measures import OF_A_CLASS, Cohorts, overall_of

COMPARED = ("auc", "macro_f1")


def judge(truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """The measures of a cohort; undefined is NaN.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        classes: K names.

    Returns:
        Those of :func:`~common.metrics.measures.overall_of`, and of :data:`~common.metrics.measures.OF_A_CLASS` as
        ``precision_<class>``, ...
    """
    alone = judge_cohorts(truth, probabilities, classes, np.ones((1, len(truth))))
    return {name: float(values[0]) for name, values in alone.items()}


def judge_cohorts(
    truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], counts: np.ndarray
) -> dict[str, np.ndarray]:
    """:func:`judge` of many cohorts at once.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        classes: K names.
        counts: how often each row is in each cohort, (cohorts, n).

    Returns:
        The measures of :func:`judge` under their names, one value per cohort, (cohorts,).
    """
    cohorts = Cohorts(truth, probabilities, counts)
    overall = {measure.name: measure.of(cohorts) for measure in overall_of(classes)}
    of_classes = {measure.name: measure.of(cohorts).T for measure in OF_A_CLASS}
    by_class = {f"{key}_{name}": of[label] for key, of in of_classes.items() for label, name in enumerate(classes)}
    return {**overall, **by_class}


def summarise_judgement(
    rows: pd.DataFrame, classes: Sequence[str], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Summary]:
    """Every measure of :func:`judge` with its 95 % percentile bootstrap interval over subjects.

    Args:
        rows: ``subject``, ``truth`` (a class's name) and ``p_<class>``; a subject's rows are drawn together.
        classes: their names, in the order of the labels.
        seed: of the bootstrap.
        resamples: how many cohorts are drawn.

    Returns:
        Under the name of each measure its value as ``mean``, the interval as ``low`` and ``high``, and ``n``, the
        number of subjects.
    """
    truth, probabilities = truth_of(rows, classes), probabilities_of(rows, classes)
    judge_block = partial(judge_cohorts, truth, probabilities, classes)
    drawn = measure_drawn(judge_block, rows["subject"], seed, resamples)
    patients = rows["subject"].nunique()
    measured = judge(truth, probabilities, classes)
    return {name: summarise_draws(value, drawn[name], patients) for name, value in measured.items()}


def compare_judgements(
    rows: pd.DataFrame, others: Mapping[str, np.ndarray], classes: Sequence[str], seed: int = 0
) -> dict[str, dict[str, Summary]]:
    """By how much ``rows`` is better than other probabilities for the same rows: paired, over the same drawn cohorts.

    Args:
        rows: as for :func:`summarise_judgement`.
        others: probabilities (n, K) under their names.
        classes: their names.
        seed: of the bootstrap.

    Returns:
        For each name the differences in :data:`COMPARED`; above 0 means that ``rows`` is better.
    """
    truth, own = truth_of(rows, classes), probabilities_of(rows, classes)
    patients = rows["subject"].nunique()

    def draw(answers: np.ndarray) -> dict[str, np.ndarray]:
        return measure_drawn(partial(judge_cohorts, truth, answers, classes), rows["subject"], seed)

    measured, drawn = judge(truth, own, classes), draw(own)
    differences = {}
    for name, other in others.items():
        theirs, theirs_drawn = judge(truth, other, classes), draw(other)
        differences[name] = {
            measure: summarise_draws(
                measured[measure] - theirs[measure], drawn[measure] - theirs_drawn[measure], patients
            )
            for measure in COMPARED
        }
    return differences


def truth_of(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Class indices (n,) of the column ``truth``."""
    return rows["truth"].map({name: label for label, name in enumerate(classes)}).to_numpy(dtype=int)


def probabilities_of(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """The columns ``p_<class>``, (n, K)."""
    return rows[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
