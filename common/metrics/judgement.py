"""How well probabilities predict classes: the usual measures, and their uncertainty over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

from common.metrics.bootstrap import (
    RESAMPLES,
    Summary,
    divide,
    draw_cohorts,
    nan_mean,
    share_of_pairs,
    summarise_draws,
)

OVERALL = ("accuracy", "macro_f1", "weighted_f1", "macro_precision", "macro_recall", "auc")
OF_TWO = ("sensitivity", "specificity")
OF_A_CLASS = ("precision", "recall", "specificity", "f1", "auc")
COMPARED = ("auc", "macro_f1")


def overall_of(classes: Sequence[str]) -> tuple[str, ...]:
    """The measures of all classes together: :data:`OVERALL`, and :data:`OF_TWO` where there are two."""
    return (*OVERALL, *OF_TWO) if len(classes) == 2 else OVERALL


def judge(truth: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """The measures of a cohort; the predicted class is the most probable one.

    Undefined is NaN: the recall, F1 and AUC of a class without support, the precision of a class that is never
    predicted, the specificity of the only class with support. Macro averages run over the classes with support, so that
    ``macro_recall`` is the balanced accuracy; in ``macro_precision`` a class that is never predicted has precision 0.
    ``weighted_f1`` weighs the F1 of each class by its support. The specificity of a class is TN / (TN + FP), the class
    against the rest. ``auc`` is that of class 1 if there are two classes, else the mean over the classes of one against
    the rest. Of two classes, ``sensitivity`` is the recall of class 1 and ``specificity`` that of class 0.

    Args:
        truth: class indices (n,).
        probabilities: (n, K).
        classes: K names.

    Returns:
        Those of :func:`overall_of`, and :data:`OF_A_CLASS` as ``precision_<class>``, ...
    """
    predicted, labels = probabilities.argmax(axis=1), np.arange(len(classes))
    present = np.unique(truth)
    shares = precision_recall_fscore_support(truth, predicted, labels=labels, average=None, zero_division=np.nan)
    precision, recall, f1 = (np.asarray(share, dtype=float) for share in shares[:3])
    f1 = np.where(np.isin(labels, present), f1, np.nan)
    support = (truth[:, None] == labels).sum(axis=0)
    predicted_counts = (predicted[:, None] == labels).sum(axis=0)
    hits = ((truth == predicted)[:, None] & (truth[:, None] == labels)).sum(axis=0)
    specificity = _specificity(hits, support, predicted_counts, len(truth))
    macro = precision_recall_fscore_support(truth, predicted, labels=present, average="macro", zero_division=0)
    areas = np.array([_area(truth == label, probabilities[:, label]) for label in labels])
    overall = {
        "accuracy": float(accuracy_score(truth, predicted)),
        "macro_f1": float(macro[2]),
        "weighted_f1": float(_weighted(f1, support)),
        "macro_precision": float(macro[0]),
        "macro_recall": float(macro[1]),
        "auc": float(areas[1] if len(classes) == 2 else nan_mean(areas)),
    }
    return {**overall, **_of_two(recall), **_by_class(classes, (precision, recall, specificity, f1, areas))}


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
    labels = np.arange(len(classes))
    true = (truth[:, None] == labels).astype(float)
    predicted = (probabilities.argmax(axis=1)[:, None] == labels).astype(float)
    # True positives, support (TP + FN) and predicted counts (TP + FP) of each class, (cohorts, K).
    hits, support, predicted_counts = counts @ (true * predicted), counts @ true, counts @ predicted
    precision, recall = divide(hits, predicted_counts), divide(hits, support)
    # F1 = 2 TP / (2 TP + FP + FN), and the denominator is support plus predicted counts.
    f1 = np.where(support > 0, divide(2 * hits, support + predicted_counts), np.nan)
    specificity = _specificity(hits, support, predicted_counts, counts.sum(axis=1, keepdims=True))
    areas = np.stack([_areas(truth == label, probabilities[:, label], counts) for label in labels], axis=1)
    overall = {
        "accuracy": divide(hits.sum(axis=1), counts.sum(axis=1)),
        "macro_f1": nan_mean(f1),
        "weighted_f1": _weighted(f1, support),
        "macro_precision": nan_mean(np.where(support > 0, np.nan_to_num(precision), np.nan)),
        "macro_recall": nan_mean(recall),
        "auc": areas[:, 1] if len(classes) == 2 else nan_mean(areas),
    }
    return {**overall, **_of_two(recall.T), **_by_class(classes, (precision.T, recall.T, specificity.T, f1.T, areas.T))}


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
    drawn = judge_cohorts(truth, probabilities, classes, draw_cohorts(rows["subject"], seed, resamples))
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
    counts, patients = draw_cohorts(rows["subject"], seed), rows["subject"].nunique()
    measured, drawn = judge(truth, own, classes), judge_cohorts(truth, own, classes, counts)
    differences = {}
    for name, other in others.items():
        theirs, theirs_drawn = judge(truth, other, classes), judge_cohorts(truth, other, classes, counts)
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


def _specificity(
    hits: np.ndarray, support: np.ndarray, predicted_counts: np.ndarray, total: np.ndarray | int
) -> np.ndarray:
    """TN / (TN + FP) of each class against the rest; the false positives are ``predicted_counts - hits``."""
    return 1 - divide(predicted_counts - hits, total - support)


def _weighted(shares: np.ndarray, support: np.ndarray) -> np.ndarray:
    """The mean over the last axis, weighted by support; a class without support does not count."""
    return divide((np.nan_to_num(shares) * support).sum(axis=-1), support.sum(axis=-1))


def _of_two(recall: np.ndarray) -> dict:
    """``recall`` has one row per class."""
    return {"sensitivity": recall[1], "specificity": recall[0]} if len(recall) == 2 else {}


def _by_class(classes: Sequence[str], shares: Sequence[np.ndarray]) -> dict:
    """``shares`` in the order of :data:`OF_A_CLASS`, each with one row per class."""
    named = zip(OF_A_CLASS, shares, strict=True)
    return {f"{measure}_{name}": share[label] for measure, share in named for label, name in enumerate(classes)}


def _area(is_class: np.ndarray, score: np.ndarray) -> float:
    return float(roc_auc_score(is_class, score)) if 0 < is_class.sum() < len(is_class) else float("nan")


def _areas(is_class: np.ndarray, score: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The AUC as the Mann-Whitney statistic U / (m n): the share of (class, rest) pairs in order; a tie counts half.

    See Hanley & McNeil, Radiology 143 (1982), 29-36.
    """
    pairs = is_class[:, None] & ~is_class[None, :]
    wins = pairs * ((score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :]))
    return share_of_pairs(counts, wins, pairs)
