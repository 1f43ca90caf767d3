"""The measures of a classification beside the baselines: numbers for JSON, and tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.metrics.baselines import Baselines
from common.metrics.calibration import judge_calibration
from common.metrics.judgement import judge, probabilities_of, truth_of
from common.metrics.measures import OF_A_CLASS, title_of
from common.metrics.patient_predictions import vote_table
from common.reports.classification.measures import measure_rows
from common.reports.classification.subgroup import summarise_tumours
from common.reports.page import DASH
from common.reports.segmentation import interval
from common.tasks.published import short_name
from common.tasks.registry import nouns_of, task_of


def summarise_classification(
    rows: pd.DataFrame, samples: pd.DataFrame, classes: Sequence[str], baselines: Baselines, seed: int = 0
) -> dict[str, Any]:
    """All measures of the patients' predictions with 95 % intervals over patients, beside the baselines.

    Args:
        rows: of :func:`common.metrics.to_patients`, one row per patient (or per scan).
        samples: the rows that they came from; judged as well where there are more of them, as the papers do, but
            without intervals, since samples of one patient are not independent.
        classes: their names, in the order of the labels.
        baselines: their predictions for ``rows``, in the same order.
        seed: of the draws that calibration is compared with.

    Returns:
        Plain values for ``metrics.json``: those of
        :func:`~common.reports.classification.measures.measure_rows`, with calibration, subgroup, samples and votes.
    """
    several = len(samples) > len(rows)
    return {
        "task": "classification",
        **measure_rows(rows, classes, baselines.probabilities),
        "scans": len(rows),
        "samples": len(samples),
        "calibration": judge_calibration(
            truth_of(rows, classes), probabilities_of(rows, classes), rows["subject"], seed
        ).to_json(),
        "baselines_left_out": dict(baselines.left_out),
        "subgroup": summarise_tumours(rows, classes, baselines.probabilities),
        "of_samples": judge(truth_of(samples, classes), probabilities_of(samples, classes), classes) if several else {},
        "votes": vote_table(samples, classes).to_dict("records") if several else [],
    }


def measure_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """The measures of the network beside those of each baseline.

    Returns:
        One row per measure.
    """
    columns = {"network": summary["measures"], **summary["baselines"]}
    return pd.DataFrame(
        [
            {"measure": title_of(name), **{source: with_interval(found[name], 3) for source, found in columns.items()}}
            for name in summary["measures"]
        ]
    )


def difference_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """By how much the network is better than each baseline.

    Returns:
        One row per baseline, one column per measure.
    """
    return pd.DataFrame(
        [
            {"network minus": name, **{title_of(key): with_interval(value, 3) for key, value in found.items()}}
            for name, found in summary["against_baselines"].items()
        ]
    )


def class_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """All classes together, then each of them, beside the printed numbers; those count samples.

    Returns:
        One row per class and measure; columns without any number are left out.
    """
    rows = []
    nouns = nouns_of(summary)
    papers = task_of(summary).published_of(summary.get("backbone"))
    for measure in summary["measures"]:
        printed = {paper.source: paper.measures.get(measure) for paper in papers}
        found = summary["measures"][measure], summary["of_samples"].get(measure)
        rows.append(_class_row("all", {nouns.cases: summary[nouns.counted]}, measure, found, printed))
    for name, of_class in summary["per_class"].items():
        for measure in (measure.name for measure in OF_A_CLASS):
            printed = {paper.source: paper.per_class.get(short_name(name), {}).get(measure) for paper in papers}
            found = of_class[measure], summary["of_samples"].get(f"{measure}_{name}")
            rows.append(_class_row(short_name(name), {nouns.cases: of_class["patients"]}, measure, found, printed))
    return _without_empty_columns(pd.DataFrame(rows))


def votes_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """The accuracies of P3's ways of counting, beside the printed ones.

    Returns:
        One row per way of counting.
    """
    papers = [paper for paper in task_of(summary).published if paper.votes]
    rows = []
    for vote in summary["votes"]:
        own = {"accuracy": vote["accuracy"]}
        own.update({short_name(name): vote[f"accuracy_{name}"] for name in summary["classes"]})
        printed = {
            f"{short_name(paper.source)}: {key}": _digits(paper.votes.get(vote["counted"], {}).get(key))
            for paper in papers
            for key in ("accuracy", *map(short_name, summary["classes"]))
        }
        row = {"counted": vote["counted"], "n": vote["n"]}
        rows.append({**row, **{key: _digits(value) for key, value in own.items()}, **printed})
    return _without_empty_columns(pd.DataFrame(rows))


def survival_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Concordance, and BraTS's measures where they were asked for.

    Returns:
        One row per measure.
    """
    found = summary["survival"]["measures"]
    return pd.DataFrame(
        [
            {
                "measure": title_of(name),
                "network": with_interval(value, 0 if name.endswith("se") else 3),
                "patients": value["n"],
            }
            for name, value in found.items()
        ]
    )


def with_interval(values: Mapping[str, Any], digits: int) -> str:
    """``0.812 (0.730 to 0.884)``; a dash where it is undefined. Also for values that were read from JSON."""
    numbers = {key: float("nan") if value is None else value for key, value in values.items()}
    if np.isnan(numbers["mean"]):
        return DASH
    text = f"{numbers['mean']:.{digits}f}"
    return text if np.isnan(numbers["low"]) else f"{text} ({interval(numbers, digits)})"


def _class_row(
    name: str,
    count: Mapping[str, int],
    measure: str,
    found: tuple[Mapping[str, Any], float | None],
    printed: Mapping[str, float | None],
) -> dict[str, Any]:
    """A row of :func:`class_table`: who was counted, and what was found over them and over samples."""
    return {
        "class": name,
        **count,
        "measure": title_of(measure),
        "network": with_interval(found[0], 3),
        "samples counted": _digits(found[1]),
        **{source: _digits(value) for source, value in printed.items()},
    }


def _digits(value: float | None) -> str:
    return DASH if value is None or np.isnan(value) else f"{value:.3f}"


def _without_empty_columns(table: pd.DataFrame) -> pd.DataFrame:
    return table[[column for column in table if not (table[column] == DASH).all()]]
