"""All measures of one table of predictions with 95 % intervals over patients, beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from common.metrics.intervals.delong import chance_interval, delong_test
from common.metrics.judgement import (
    compare_judgements,
    probabilities_of,
    summarise_judgement,
    truth_of,
)
from common.metrics.measures import OF_A_CLASS, overall_of

CHANCE_LEVELS = (0.95, 0.999)


def measure_rows(rows: pd.DataFrame, classes: Sequence[str], baselines: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The measures of a cohort, or of a part of it.

    Args:
        rows: ``subject``, ``truth``, ``predicted`` and ``p_<class>``, one row per patient (or per scan).
        classes: their names, in the order of the labels.
        baselines: probabilities (n, K) for ``rows``, in the same order.

    Returns:
        Plain values for ``metrics.json``: the classes, their patients and measures, the confusion matrix (one row per
        true class), the test against chance, and each baseline with the difference to it.
    """
    measured = summarise_judgement(rows, classes)
    return {
        "classes": list(classes),
        "patients": int(rows["subject"].nunique()),
        "measures": {measure.name: measured[measure.name] for measure in overall_of(classes)},
        "per_class": {
            name: {
                "patients": int((rows["truth"] == name).sum()),
                **{measure.name: measured[f"{measure.name}_{name}"] for measure in OF_A_CLASS},
            }
            for name in classes
        },
        "against_chance": _against_chance(rows, classes),
        "confusion": confusion_matrix(rows["truth"], rows["predicted"], labels=list(classes)).tolist(),
        "baselines": {
            name: summarise_judgement(_with_probabilities(rows, predicted, classes), classes)
            for name, predicted in baselines.items()
        },
        "against_baselines": compare_judgements(rows, baselines, classes),
    }


def _against_chance(rows: pd.DataFrame, classes: Sequence[str]) -> dict[str, Any]:
    """DeLong's test of the AUC and the ranges of 95 % and 99.9 % of chance results; empty for three or more classes."""
    if len(classes) != 2:
        return {}
    found = delong_test(truth_of(rows, classes) == 1, probabilities_of(rows, classes)[:, 1], rows["subject"])
    patients = rows.drop_duplicates("subject")
    levels = {f"{level:g}": list(chance_interval(truth_of(patients, classes) == 1, level)) for level in CHANCE_LEVELS}
    return {"delong": asdict(found), "chance": levels}


def _with_probabilities(rows: pd.DataFrame, probabilities: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    return rows.assign(**{f"p_{name}": probabilities[:, label] for label, name in enumerate(classes)})
