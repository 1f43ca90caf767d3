"""From samples (slices, modalities, images) to patients: mean probability and majority vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from common.metrics.judgement import probabilities_of


def to_patients(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """One row per patient, or per scan where patients have several.

    Where there is a column ``tumour``, only the samples with tumour are used; of a scan without such a sample, all are.

    Args:
        rows: ``subject``, ``scan`` (optional), ``truth``, ``p_<class>`` and ``tumour`` (optional), one row per sample.
        classes: their names, in the order of the labels.

    Returns:
        ``subject``, ``scan`` (if given), ``truth``, ``predicted`` (the most probable class on average), ``voted``
        (the class that most samples chose; of equal counts the more probable one), ``p_<class>`` (mean over the
        samples) and ``samples`` (how many were used).
    """
    used, names, shares = used_samples(rows), np.asarray(classes, dtype=object), [f"p_{name}" for name in classes]
    chosen = np.eye(len(classes))[probabilities_of(used, classes).argmax(axis=1)]
    votes = [f"votes {name}" for name in classes]
    groups = used.assign(**dict(zip(votes, chosen.T, strict=True))).groupby(unit_of(rows), sort=True)
    patients = groups[["truth"]].first()
    means = groups[shares].mean()
    patients["predicted"] = names[means.to_numpy().argmax(axis=1)]
    patients["voted"] = names[winner_of(groups[votes].sum().to_numpy(), means.to_numpy())]
    return patients.join(means).assign(samples=groups.size()).reset_index()


def used_samples(rows: pd.DataFrame) -> pd.DataFrame:
    """The samples that count for their patient.

    Returns:
        The rows whose ``tumour`` is true; all rows of a scan where none is, or where there is no such column.
    """
    if "tumour" not in rows:
        return rows
    tumour = rows["tumour"].astype(bool)
    without = ~tumour.groupby([rows[key] for key in unit_of(rows)]).transform("any")
    return rows[tumour | without]


def unit_of(rows: pd.DataFrame) -> list[str]:
    """The columns that name the unit of a prediction: the patient, or the scan."""
    return ["subject", "scan"] if "scan" in rows else ["subject"]


def vote_table(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The ways of counting of P3, sections 5.2 and 5.3, and the two that count each patient once.

    P3 prints the vote over slices: a slice counts as right if the vote of its volume is right, so that a large tumour
    weighs more than a small one.

    Args:
        rows: as for :func:`to_patients`, with ``tumour`` where the samples are slices, some of them empty.
        classes: their names.

    Returns:
        One row per way of counting: ``counted`` (what is counted, in words), ``n`` (how many), ``accuracy``, and
        ``accuracy_<class>`` of each true class, NaN where it has no support.
    """
    ways = ways_of_counting(rows, to_patients(rows, classes), classes)
    return pd.DataFrame([{"counted": way, **_accuracies(counted, classes)} for way, counted in ways.items()])


def ways_of_counting(rows: pd.DataFrame, patients: pd.DataFrame, classes: Sequence[str]) -> dict[str, pd.DataFrame]:
    """What is compared in each row of :func:`vote_table`.

    Args:
        rows: as for :func:`vote_table`.
        patients: of :func:`to_patients`.
        classes: their names.

    Returns:
        Under each way of counting, in words, a table with ``subject``, ``truth`` and ``answer``.
    """
    has_empty, unit = "tumour" in rows, unit_of(rows)
    sample = "slices" if has_empty else "samples"
    single = rows[[*unit, "truth"]].assign(answer=most_probable(rows, classes))
    filled = single[rows["tumour"].astype(bool)] if has_empty else single
    voted = filled.drop(columns="answer").merge(patients[[*unit, "voted"]], on=unit, validate="many_to_one")
    return {
        f"all {sample}": single,
        **({"slices with tumour": filled} if has_empty else {}),
        f"majority vote, {sample} counted": voted.rename(columns={"voted": "answer"}),
        "majority vote, patients counted": patients.assign(answer=patients["voted"]),
        "mean probability, patients counted": patients.assign(answer=patients["predicted"]),
    }


def most_probable(rows: pd.DataFrame, classes: Sequence[str]) -> pd.Series:
    """The name of each row's most probable class."""
    return pd.Series(
        np.asarray(classes)[probabilities_of(rows, classes).argmax(axis=1)], index=rows.index, dtype=object
    )


def winner_of(votes: ArrayLike, probabilities: ArrayLike) -> np.ndarray:
    """The class that most samples chose; of equal counts the more probable one.

    Args:
        votes: (..., class): how many samples chose each class.
        probabilities: (..., class): the mean over the samples, which is below 1 where not all chose the class.
    """
    return np.add(votes, probabilities).argmax(axis=-1)


def _accuracies(counted: pd.DataFrame, classes: Sequence[str]) -> dict[str, float | int]:
    truth = counted["truth"].to_numpy()
    right = truth == counted["answer"].to_numpy()
    by_class = {f"accuracy_{name}": _mean(right[truth == name]) for name in classes}
    return {"n": len(right), "accuracy": _mean(right), **by_class}


def _mean(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else float("nan")
