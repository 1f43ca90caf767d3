"""Several evaluated runs side by side: what a protocol is worth shows only beside the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.errors import KnobError, OutputError, Problem
from common.metrics.judgement import OF_A_CLASS, OF_TWO, OVERALL
from common.reports import published
from common.reports.classification import TITLES
from common.reports.page import Page
from common.reports.segmentation import interval
from common.reports.words import words_of

LEAKY = (
    "Under the published protocol, slices or images of one patient stand on both sides of the split: what it gains "
    "over the patient protocol is memory of the patients, not skill on new ones."
)
LEAKY_OF = {
    "tumour": "Under the published protocol, copies of one image stand on both sides of the split: what it gains over "
    "a split by groups of copies is memory of the images, not skill on new ones."
}
"""In place of :data:`LEAKY`, by the task."""

SEGMENTATION = "segmentation"
SAMPLES = ", samples counted"
OF_A_SUBGROUP = ("auc", "macro_f1", "accuracy")

Metrics = Mapping[str, Any]
Column = dict[str, str]


def compare_runs(runs: Sequence[Path]) -> pd.DataFrame:
    """A column a run, a row a measure with its mean and 95 % interval over patients; the papers' printed numbers last.

    Args:
        runs: run folders with a ``metrics.json``, all of the same task.

    Raises:
        OutputError: with every run that has none.
        KnobError: the runs are of several tasks.
    """
    read = _read(runs)
    task = _only_task(read)
    describe = _segmentation if task == SEGMENTATION else _classification
    columns = {run: describe(metrics) for run, metrics in read.items()}
    measures = list(dict.fromkeys(name for column in columns.values() for name in column))
    table = pd.DataFrame({**columns, **_printed(task, _has_samples(read))}).reindex(measures)
    return table.fillna("-").rename_axis("measure").reset_index()


def write_comparison(path: Path, table: pd.DataFrame, runs: Sequence[Path]) -> None:
    """Write the table as a page."""
    read = _read(runs)
    page = Page("Runs side by side")
    if any(metrics["protocol"] == "paper" for metrics in read.values()):
        page.warning(LEAKY_OF.get(_only_task(read), LEAKY))
    page.table(table)
    drawn = " or ".join(dict.fromkeys(words_of(metrics).subjects for metrics in read.values()))
    page.paragraph(f"Means with 95 % intervals, bootstrap over {drawn}. Runs: {', '.join(read)}")
    page.write(path)


def _read(runs: Sequence[Path]) -> dict[str, Metrics]:
    missing = [run for run in runs if not (run / "metrics.json").is_file()]
    if missing:
        mend = "Evaluate it first (run evaluating, see the bundle's docs/README.md)."
        raise OutputError([Problem("it holds no metrics.json", str(run), mend) for run in missing])
    return {str(run): json.loads((run / "metrics.json").read_text(encoding="utf-8")) for run in runs}


def _only_task(read: Mapping[str, Metrics]) -> str:
    """What all runs did: ``segmentation``, or what a classification predicted."""
    tasks = {run: str(metrics.get("target", SEGMENTATION)) for run, metrics in read.items()}
    if len(set(tasks.values())) > 1:
        told = ", ".join(f"{run} ({task})" for run, task in tasks.items())
        raise KnobError(Problem("runs of several tasks share no measure", told, "Compare runs of one task."))
    return next(iter(tasks.values()))


def _segmentation(metrics: Metrics) -> Column:
    column = _facts(metrics, "protocol", "side", "patients", "slices")
    for region, measures in metrics["regions"].items():
        column[f"Dice {region}"] = _with_interval(measures["dice"], 3)
        column[f"HD95 {region} in mm"] = _with_interval(measures["hd95"], 1)
    for name, values in metrics["soft_dice"].items():
        column[f"soft Dice {name}"] = _with_interval(values, 3)
    return column


def _classification(metrics: Metrics) -> Column:
    words = words_of(metrics)
    column = {"protocol": words.protocol(metrics["protocol"]), **_facts(metrics, "side")}
    column.update({words.subjects: str(metrics["patients"]), words.samples: str(metrics["samples"])})
    if metrics.get("permuted_labels"):
        column["labels"] = "shuffled"
    column.update({TITLES[name]: _with_interval(values, 3) for name, values in metrics["measures"].items()})
    for name, found in metrics["per_class"].items():
        of_class = {measure: found[measure] for measure in OF_A_CLASS if measure in found}
        column.update({_of_class(measure, name): _with_interval(value, 3) for measure, value in of_class.items()})
    if subgroup := metrics.get("subgroup"):
        of_tumours = {f"{TITLES[name]}, {subgroup['name']}": subgroup["measures"][name] for name in OF_A_SUBGROUP}
        column.update({name: _with_interval(value, 3) for name, value in of_tumours.items()})
    for key, value in metrics["of_samples"].items():
        column[_of_samples(key)] = "-" if value is None else f"{value:.3f}"
    for vote in metrics["votes"]:
        column[_of_vote(vote["counted"])] = f"{vote['accuracy']:.3f}"
    for name, value in metrics.get("survival", {}).get("measures", {}).items():
        column[TITLES[name]] = _with_interval(value, 3)
    for name, found in metrics["baselines"].items():
        column[f"AUC, {name}"] = _with_interval(found["auc"], 3)
    column["beats chance and every baseline"] = "yes" if metrics["verdict"]["claim"] else "not shown"
    return column


def _has_samples(read: Mapping[str, Metrics]) -> bool:
    """Whether those who are judged can have several samples."""
    return any(words.samples != words.scans for words in map(words_of, read.values()))


def _printed(task: str, has_samples: bool) -> dict[str, Column]:
    """The papers' columns; they count samples, which are what we count where nobody can have several."""
    if task == SEGMENTATION:
        return {"published": {f"soft Dice {name}": f"{value:.4f}" for name, value in published.SOFT_DICE.items()}}
    columns: dict[str, Column] = {}
    for paper in published.papers_of(task):
        column = {TITLES[name]: f"{value:.3f}" for name, value in paper.measures.items()}
        for name, found in paper.per_class.items():
            column.update({_of_class(measure, name): f"{value:.3f}" for measure, value in found.items()})
        column.update({f"{name}{SAMPLES}": value for name, value in column.items() if has_samples})
        column.update({_of_vote(way): f"{found['accuracy']:.3f}" for way, found in paper.votes.items()})
        columns[f"published: {paper.source}"] = column
    return columns


def _facts(metrics: Metrics, *names: str) -> Column:
    return {name: str(metrics[name]) for name in names}


def _of_class(measure: str, name: str) -> str:
    """The same row for ``mid (266 to 476 days)`` of every run: tertiles differ with the split."""
    return f"{TITLES[measure]}, {published.short_name(name)}"


def _of_samples(key: str) -> str:
    """The row of a key of :func:`common.metrics.judge`, over samples."""
    if key in (*OVERALL, *OF_TWO):
        return f"{TITLES[key]}{SAMPLES}"
    measure, _, name = key.partition("_")
    return f"{_of_class(measure, name)}{SAMPLES}"


def _of_vote(counted: str) -> str:
    return f"accuracy, {counted}"


def _with_interval(values: Mapping[str, Any], digits: int) -> str:
    numbers = {key: float("nan") if value is None else value for key, value in values.items()}
    if numbers["n"] == 0:
        return "-"
    return f"{numbers['mean']:.{digits}f} ({interval(numbers, digits)})"
