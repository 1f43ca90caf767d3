"""The page that a person reads after a classifier was evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.cohorts.datasets.source_names import source_name
from common.metrics.calibration import reliability
from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.roc import roc_curves
from common.reports.caveats import tell_caveats
from common.reports.classification import (
    class_table,
    difference_table,
    measure_table,
    survival_table,
    votes_table,
)
from common.reports.classification_pictures import draw_days, draw_reliability, draw_roc
from common.reports.classification_subgroup import tell_choice
from common.reports.classification_words import INVENTED, LEAKY, OVERLAPPING, PERMUTED, PRINTED, SHARED, TITLES
from common.reports.page import Page
from common.reports.pictures import draw_confusion
from common.reports.published import short_name
from common.reports.shortcuts import add_shortcuts
from common.reports.words import words_of


def write_page(
    path: str | Path,
    summary: Mapping[str, Any],
    rows: pd.DataFrame,
    records: Sequence[Mapping[str, Any]],
    pictures: Mapping[str, Figure],
) -> None:
    """Write the report.

    Args:
        path: of the HTML file.
        summary: of :func:`common.reports.classification.summarise_classification`, with target, protocol, unit, side,
            weights, split_hash, shortcuts, verdict and (for survival) survival.
        rows: a row a patient.
        records: the whole cohort.
        pictures: a heat map a patient, under its caption.
    """
    page = Page(TITLES.get(summary["target"], "Classification: evaluation"))
    page.paragraph(_what_was_judged(summary, records))
    for warning in _warnings(summary, records):
        page.warning(warning)
    page.heading("What it shows")
    for sentence in summary["verdict"]["sentences"]:
        page.paragraph(sentence)
    _add_measures(page, summary)
    if summary.get("subgroup"):
        _add_subgroup(page, summary["subgroup"])
    _add_curves(page, summary, rows)
    if summary["votes"]:
        _add_votes(page, summary)
    if "survival" in summary:
        _add_survival(page, summary["survival"], summary, rows)
    if pictures:
        page.heading("What the network looked at")
        for caption, figure in pictures.items():
            page.picture(figure, caption)
        page.paragraph(
            "Grad-CAM: where the last feature maps speak for the predicted class. It is coarse, and no proof."
        )
    words = words_of(summary)
    add_shortcuts(page, summary["shortcuts"], words)
    page.heading(f"Every {words.case}")
    page.table(rows.rename(columns=dict(words.columns)))
    page.write(path)


def _what_was_judged(summary: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    words = words_of(summary)
    counted = Counter(source_name(record["source"]) for record in records)
    sources = ", ".join(f"{source} ({count})" for source, count in counted.items())
    counts = ", ".join(f"{found['patients']} {name}" for name, found in summary["per_class"].items())
    scans = f", {summary['scans']} {words.scans}" if summary["scans"] > summary["patients"] else ""
    samples = f", {summary['samples']} {words.samples}" if summary["samples"] > summary["scans"] else ""
    return (
        f"{words.count(summary['patients'])}{scans}{samples} of the {summary['side']} side: {counts}. "
        f"Cohort: {sources}. Protocol: {words.protocol(summary['protocol'])}. "
        f"Weights: epoch {summary['weights']['epoch']}. Split: {summary['split_hash'][:12]}."
    )


def _warnings(summary: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> list[str]:
    words = words_of(summary)
    leaky = LEAKY.format(shared=SHARED[summary["unit"]], case=words.case)
    if summary["target"] == "volume_grade":
        leaky = OVERLAPPING
    warnings = tell_caveats(summary, records, leaky)
    invented = sum(bool(record.get("invented")) for record in records)
    if summary.get("permuted_labels"):
        warnings.insert(0, PERMUTED.format(shuffled=words.shuffled, cases=words.cases))
    return [*warnings, *([INVENTED.format(count=invented)] if invented else [])]


def _add_measures(page: Page, summary: Mapping[str, Any]) -> None:
    words = words_of(summary)
    page.heading("Beside what needs no network")
    page.table(measure_table(summary))
    if summary["against_baselines"]:
        page.table(difference_table(summary))
    page.paragraph(
        f"95 % intervals, bootstrap over {words.subjects}; differences over the same drawn {words.subjects}. The "
        "baselines were fitted on the training side."
    )
    for name, reason in summary["baselines_left_out"].items():
        page.paragraph(f"No baseline of {name}: {words.retell_of_cases(reason)}.")
    page.heading("Each class")
    page.table(class_table(summary))
    if summary["of_samples"]:
        page.paragraph("Samples counted: each slice or image as an answer of its own, as the papers count.")
    if summary["target"] in PRINTED:
        page.paragraph(PRINTED[summary["target"]])


def _add_subgroup(page: Page, subgroup: Mapping[str, Any]) -> None:
    page.heading(f"{subgroup['name']} on its own")
    page.table(measure_table(subgroup))
    if subgroup["against_baselines"]:
        page.table(difference_table(subgroup))
    page.table(class_table({**subgroup, "target": "", "of_samples": {}}))
    counts = draw_confusion(np.array(subgroup["confusion"]), subgroup["classes"])
    page.picture(counts, f"{subgroup['name']}, as shares of the truth and as counts.")
    page.paragraph(tell_choice(subgroup))


def _add_curves(page: Page, summary: Mapping[str, Any], rows: pd.DataFrame) -> None:
    classes, words = summary["classes"], words_of(summary)
    counts = draw_confusion(np.array(summary["confusion"]), [short_name(name) for name in classes])
    page.picture(counts, f"{words.cases.capitalize()}, as shares of the truth and as counts.")
    truth, probabilities = truth_of(rows, classes), probabilities_of(rows, classes)
    curves = {
        short_name(classes[label]): curve for label, curve in roc_curves(truth, probabilities, rows["subject"]).items()
    }
    if curves:
        band = f"with a pointwise 95 % band (bootstrap over {words.subjects})"
        page.picture(draw_roc(curves), f"ROC curves over {words.cases}, each class against the rest, {band}.")
    labels = [1] if len(classes) == 2 else list(range(len(classes)))
    points = {short_name(classes[label]): reliability(truth == label, probabilities[:, label]) for label in labels}
    page.picture(draw_reliability(points, probabilities[:, labels]), "Reliability: how often a probability came true.")
    page.paragraph(summary["calibration"]["sentence"])


def _add_votes(page: Page, summary: Mapping[str, Any]) -> None:
    page.heading("From samples to patients")
    page.table(votes_table(summary))
    page.paragraph(
        "Accuracies. P3 counts a slice as right where the vote of its volume is right; new patients come one at a "
        "time, so the rows that count patients are the ones to read."
    )


def _add_survival(page: Page, survival: Mapping[str, Any], summary: Mapping[str, Any], rows: pd.DataFrame) -> None:
    page.heading("Survival in days")
    page.table(survival_table(summary))
    medians = ", ".join(
        f"{days:g} ({short_name(name)})" for name, days in zip(summary["classes"], survival["median_days"], strict=True)
    )
    page.paragraph(
        f"Predicted days are the classes' median days on the training side, {medians}, weighted by their "
        "probabilities; the risk is minus the predicted days. Concordance: 0.5 is chance."
    )
    if any(name.startswith("brats_") for name in survival["measures"]):
        page.paragraph(
            "BraTS's measures are over all judged patients who died; the challenge itself asks only for patients with "
            "gross total resection. A month is 30 days."
        )
    if survival["set_aside"]:
        page.paragraph(
            f"Set aside: {survival['set_aside']} of the cohort, alive at a last contact that leaves their class open. "
            "They are neither learned from nor judged."
        )
    days, predicted, alive = rows["days"].to_numpy(float), rows["predicted_days"].to_numpy(float), rows["alive"]
    page.picture(draw_days(days, predicted, alive.to_numpy(bool)), "Survival in days, predicted and true.")
