"""The report page of a classification.

Sentences that are always the same are in ``templates/classification.html.j2``, those that depend on numbers in
:mod:`~common.reports.classification.verdict`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from common.cohorts.datasets.registry import source_name
from common.metrics.calibration import reliability
from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.patient_predictions import most_probable
from common.metrics.roc import precision_curves, roc_curves
from common.reports.classification.curves import draw_days, draw_precision, draw_reliability, draw_roc
from common.reports.classification.summary import (
    class_table,
    difference_table,
    measure_table,
    survival_table,
    votes_table,
)
from common.reports.key_result import key_result, tell_result
from common.reports.page import render_page
from common.reports.pictures import draw_confusion
from common.reports.shortcuts import shortcut_table
from common.tasks.published import short_name
from common.tasks.registry import nouns_of, task_of


def write_page(
    path: str | Path,
    summary: Mapping[str, Any],
    rows: pd.DataFrame,
    records: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, Figure],
    samples: pd.DataFrame | None = None,
) -> None:
    """Write the report.

    Args:
        path: of the HTML file.
        summary: of :func:`~common.reports.classification.summary.summarise_classification`, with target, protocol,
            unit, side, phantom, weights, split_hash, shortcuts, verdict and (for survival) survival.
        rows: one row per patient.
        records: the whole cohort.
        pictures: one heat map per patient, under its caption.
        samples: one row per slice or image, where patients have several.
    """
    nouns = nouns_of(summary)
    names = [short_name(name) for name in summary["classes"]]
    render_page(
        path,
        "classification",
        summary=summary,
        answer=tell_result(*key_result(summary)),
        task=task_of(summary),
        nouns=nouns,
        sources=Counter(source_name(record["source"]) for record in records),
        invented=sum(bool(record.get("invented")) for record in records),
        tables=_tables(summary),
        figures={**_figures(summary, rows), **_figures_of_samples(summary, samples)},
        subgroup=_subgroup(summary),
        shortcuts=shortcut_table(summary["shortcuts"]),
        median_days=dict(zip(names, summary.get("survival", {}).get("median_days", ()), strict=False)),
        pictures=pictures,
        rows=rows.rename(columns=dict(nouns.columns)),
    )


def _tables(summary: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    return {
        "measures": measure_table(summary),
        "differences": difference_table(summary),
        "classes": class_table(summary),
        **({"votes": votes_table(summary)} if summary.get("votes") else {}),
        **({"survival": survival_table(summary)} if "survival" in summary else {}),
    }


def _subgroup(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The tables and the confusion matrix of the tumours on their own; empty where there are none."""
    subgroup = summary.get("subgroup")
    if not subgroup:
        return {}
    return {
        "name": subgroup["name"],
        "tables": _tables({**subgroup, "target": "", "of_samples": {}}),
        "confusion": draw_confusion(np.array(subgroup["confusion"]), subgroup["classes"]),
    }


def _figures(summary: Mapping[str, Any], rows: pd.DataFrame) -> dict[str, Figure | None]:
    """The confusion matrix and the curves; no ROC and no precision where all patients are of one class."""
    names = [short_name(name) for name in summary["classes"]]
    truth, probabilities = truth_of(rows, summary["classes"]), probabilities_of(rows, summary["classes"])
    labels = [1] if len(names) == 2 else list(range(len(names)))
    points = {names[label]: reliability(truth == label, probabilities[:, label]) for label in labels}
    return {
        "confusion": draw_confusion(np.array(summary["confusion"]), names),
        "roc": _draw_roc(summary, rows),
        "precision": _draw_precision(summary, rows),
        "reliability": draw_reliability(points, probabilities[:, labels]),
        "days": _draw_days(rows) if "survival" in summary else None,
    }


def _figures_of_samples(summary: Mapping[str, Any], samples: pd.DataFrame | None) -> dict[str, Figure | None]:
    """The same of single slices or images, as the papers count."""
    if samples is None:
        return {"confusion_of_samples": None, "roc_of_samples": None}
    names = [short_name(name) for name in summary["classes"]]
    truth, predicted = samples["truth"], most_probable(samples, summary["classes"])
    counts = confusion_matrix(truth, predicted, labels=list(summary["classes"]))
    return {"confusion_of_samples": draw_confusion(counts, names), "roc_of_samples": _draw_roc(summary, samples)}


def _draw_roc(summary: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    names = [short_name(name) for name in summary["classes"]]
    truth, probabilities = truth_of(rows, summary["classes"]), probabilities_of(rows, summary["classes"])
    curves = {names[label]: curve for label, curve in roc_curves(truth, probabilities, rows["subject"]).items()}
    return draw_roc(curves) if curves else None


def _draw_precision(summary: Mapping[str, Any], rows: pd.DataFrame) -> Figure | None:
    names = [short_name(name) for name in summary["classes"]]
    truth, probabilities = truth_of(rows, summary["classes"]), probabilities_of(rows, summary["classes"])
    curves = {names[label]: curve for label, curve in precision_curves(truth, probabilities, rows["subject"]).items()}
    return draw_precision(curves) if curves else None


def _draw_days(rows: pd.DataFrame) -> Figure:
    alive = rows["alive"].to_numpy(bool)
    return draw_days(rows["days"].to_numpy(float), rows["predicted_days"].to_numpy(float), alive)
