"""How well probabilities predict classes: the usual measures, and their uncertainty over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from common.metrics.intervals.bootstrap import Summary
from common.metrics.intervals.left_out import measure_without, summarise_difference, summarise_share
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


def summarise_judgement(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, Summary]:
    """Every measure of :func:`judge` with its 95 % interval over subjects.

    Args:
        rows: ``subject``, ``truth`` (a class's name) and ``p_<class>``; a subject is left out with all its rows.
        classes: their names, in the order of the labels.

    Returns:
        Under the name of each measure its value as ``mean``, the interval as ``low`` and ``high``, and ``n``, the
        number of subjects.
    """
    truth, probabilities = truth_of(rows, classes), probabilities_of(rows, classes)
    measured = judge(truth, probabilities, classes)
    without = _judge_without(rows, probabilities, classes)
    groups = _class_of_subjects(rows)
    fewest = _fewest_subjects(rows, classes)
    return {
        name: summarise_share(value, without[name], len(groups), fewest[name], groups)
        for name, value in measured.items()
    }


def compare_judgements(
    rows: pd.DataFrame, others: Mapping[str, np.ndarray], classes: Sequence[str]
) -> dict[str, dict[str, Summary]]:
    """By how much ``rows`` is better than other probabilities for the same rows: paired, the same subject left out.

    Args:
        rows: as for :func:`summarise_judgement`.
        others: probabilities (n, K) under their names.
        classes: their names.

    Returns:
        For each name the differences in :data:`COMPARED`; above 0 means that ``rows`` is better.
    """
    truth, own, groups = truth_of(rows, classes), probabilities_of(rows, classes), _class_of_subjects(rows)
    measured, without = judge(truth, own, classes), _judge_without(rows, own, classes)
    differences = {}
    for name, other in others.items():
        theirs, theirs_without = judge(truth, other, classes), _judge_without(rows, other, classes)
        differences[name] = {
            measure: summarise_difference(
                measured[measure] - theirs[measure], without[measure] - theirs_without[measure], len(groups), groups
            )
            for measure in COMPARED
        }
    return differences


def _judge_without(rows: pd.DataFrame, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """The measures without each subject, in the order of their names, (subjects,)."""
    truth = truth_of(rows, classes)
    return measure_without(rows["subject"], lambda counts: judge_cohorts(truth, probabilities, classes, counts))


def _class_of_subjects(rows: pd.DataFrame) -> np.ndarray:
    """The class of each subject's first row, in the order of their names, (subjects,)."""
    return rows.assign(subject=rows["subject"].astype(str)).groupby("subject", sort=True)["truth"].first().to_numpy()


def _fewest_subjects(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, int]:
    """How many subjects each measure is a share of; where it needs several kinds of rows, those of the rarest."""
    cohort = Cohorts(truth_of(rows, classes), probabilities_of(rows, classes), np.ones((1, len(rows))))
    subjects = rows["subject"].to_numpy()

    def count(sets: Sequence[np.ndarray]) -> int:
        return min((len(set(subjects[chosen > 0])) for chosen in sets), default=0)

    overall = {measure.name: count(measure.rows(cohort)) for measure in overall_of(classes)}
    return overall | {
        f"{measure.name}_{name}": count([chosen[:, label] for chosen in measure.rows(cohort)])
        for measure in OF_A_CLASS
        for label, name in enumerate(classes)
    }


def truth_of(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Class indices (n,) of the column ``truth``."""
    return rows["truth"].map({name: label for label, name in enumerate(classes)}).to_numpy(dtype=int)


def probabilities_of(rows: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """The columns ``p_<class>``, (n, K)."""
    return rows[[f"p_{name}" for name in classes]].to_numpy(dtype=float)
