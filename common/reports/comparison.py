"""Several evaluated runs side by side, such as one recipe on two splits; the page is ``comparison.html.j2``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.measures import OF_A_CLASS, title_of
from common.reports.classification.summary import with_interval
from common.reports.page import render_page
from common.reports.run_folders import Metrics, only_task, read_metrics
from common.splits.guard import recipe_of
from common.tasks.nouns import Nouns
from common.tasks.published import short_name
from common.tasks.registry import SEGMENTATION, find_task, nouns_of
from common.tasks.segmentation import SOFT_DICE

SAMPLES = ", samples counted"
OF_A_SUBGROUP = ("auc", "macro_f1", "accuracy")

Column = dict[str, str]


def compare_runs(runs: Sequence[Path]) -> pd.DataFrame:
    """One column per run, one row per measure with its mean and 95 % interval over patients; the papers' numbers last.

    Args:
        runs: run folders with a ``metrics.json``, all of the same task.

    Returns:
        Text; the first column, ``measure``, names the rows.

    Raises:
        OutputError: names every run that has none.
        KnobError: the runs are of several tasks.
    """
    read = read_metrics(runs)
    task = only_task(read)
    describe = _segmentation if task == SEGMENTATION else _classification
    columns = {run: describe(metrics) for run, metrics in read.items()}
    measures = list(dict.fromkeys(name for column in columns.values() for name in column))
    table = pd.DataFrame({**columns, **_printed(task, _has_samples(read))}).reindex(measures)
    return table.fillna("-").rename_axis("measure").reset_index()


def write_comparison(path: Path, table: pd.DataFrame, runs: Sequence[Path]) -> None:
    """Write the table as a page.

    Args:
        path: of the HTML file.
        table: of :func:`compare_runs`.
        runs: the run folders that it compares.
    """
    read = read_metrics(runs)
    task = only_task(read)
    leaky = [nouns_of(metrics) for metrics in read.values() if metrics["protocol"] == "paper"]
    render_page(
        path,
        "comparison",
        task=find_task(task),
        phantoms=[run for run, metrics in read.items() if metrics.get("phantom")],
        unmarked=[run for run, metrics in read.items() if "phantom" not in metrics],
        published=leaky[0] if leaky else None,
        differing=what_differs(read),
        measures=table,
        of_regions=REGION_MEASURES if task == SEGMENTATION else (),
        subjects=dict.fromkeys(nouns_of(metrics).subjects for metrics in read.values()),
        runs=read,
    )


def what_differs(read: Mapping[str, Metrics]) -> list[str]:
    """Of which differences the leak of a paper's split is the cause, and of which not alone.

    Args:
        read: the measures of each run.

    Returns:
        A sentence for each run on a split that shares patients between its sides; none without another kind of split.
    """
    task = find_task(only_task(read))
    apart = {run: metrics for run, metrics in read.items() if metrics["protocol"] == "patient"}
    leaky = {run: metrics for run, metrics in read.items() if metrics["protocol"] == "paper"}
    if task.apart or not apart:
        return []
    sentences = []
    for run, metrics in leaky.items():
        same = [other for other, theirs in apart.items() if recipe_of(theirs) == recipe_of(metrics)]
        cases = nouns_of(metrics).cases
        sentences.append(
            f"{run} and {', '.join(same)} have the same recipe: what the former gains, beyond chance, its split leaks, "
            f"and does not hold for new {cases}."
            if same
            else f"{run} differs from {', '.join(apart)} in its recipe and in its split: what it gains is not the leak "
            "alone. The same recipe with --split_by patient tells how much is."
        )
    return sentences


def _choices(metrics: Metrics, nouns: Nouns) -> Column:
    """The recipe, and what was split."""
    split_by = "as the paper split" if metrics["protocol"] == "paper" else f"by {nouns.subject}"
    return {"recipe": recipe_of(metrics) or "-", "split": split_by}


def _segmentation(metrics: Metrics) -> Column:
    column = {**_choices(metrics, nouns_of(metrics)), **_facts(metrics, "side", "patients", "slices")}
    for region, measures in metrics["regions"].items():
        for measure in REGION_MEASURES:
            if measure.name in measures:
                column[measure.heading(region)] = _with_interval(measures[measure.name], measure.digits)
    for name, values in metrics["soft_dice"].items():
        column[f"soft Dice {name}"] = _with_interval(values, 3)
    return column


def _classification(metrics: Metrics) -> Column:
    nouns = nouns_of(metrics)
    column = {**_choices(metrics, nouns), **_facts(metrics, "side")}
    column.update({nouns.subjects: str(metrics["patients"]), nouns.samples: str(metrics["samples"])})
    if metrics.get("permuted_labels"):
        column["labels"] = "shuffled"
    column.update({title_of(name): _with_interval(values, 3) for name, values in metrics["measures"].items()})
    for name, found in metrics["per_class"].items():
        of_class = {measure.name: found[measure.name] for measure in OF_A_CLASS if measure.name in found}
        column.update({_of_class(measure, name): _with_interval(value, 3) for measure, value in of_class.items()})
    if subgroup := metrics.get("subgroup"):
        of_tumours = {f"{title_of(name)}, {subgroup['name']}": subgroup["measures"][name] for name in OF_A_SUBGROUP}
        column.update({name: _with_interval(value, 3) for name, value in of_tumours.items()})
    for key, value in metrics["of_samples"].items():
        column[_of_samples(key, metrics["classes"])] = _number(value)
    for vote in metrics["votes"]:
        column[_of_vote(vote["counted"])] = _number(vote["accuracy"])
    for name, value in metrics.get("survival", {}).get("measures", {}).items():
        column[title_of(name)] = _with_interval(value, 3)
    for name, found in metrics["baselines"].items():
        column[f"AUC, {name}"] = _with_interval(found["auc"], 3)
    column["beats chance and every baseline"] = "yes" if metrics["verdict"]["claim"] else "not shown"
    return column


def _has_samples(read: Mapping[str, Metrics]) -> bool:
    """Whether a patient of these runs can have several samples."""
    return any(nouns.samples != nouns.scans for nouns in map(nouns_of, read.values()))


def _printed(task: str, has_samples: bool) -> dict[str, Column]:
    """The papers' columns. Papers count samples; where each patient has a single sample, so do we."""
    if task == SEGMENTATION:
        return {"published": {f"soft Dice {name}": f"{value:.4f}" for name, value in SOFT_DICE.items()}}
    columns: dict[str, Column] = {}
    for paper in find_task(task).published:
        column = {title_of(name): f"{value:.3f}" for name, value in paper.measures.items()}
        for name, found in paper.per_class.items():
            column.update({_of_class(measure, name): f"{value:.3f}" for measure, value in found.items()})
        column.update({f"{name}{SAMPLES}": value for name, value in column.items() if has_samples})
        column.update({_of_vote(way): f"{found['accuracy']:.3f}" for way, found in paper.votes.items()})
        columns[f"published: {paper.source}"] = column
    return columns


def _facts(metrics: Metrics, *names: str) -> Column:
    return {name: str(metrics[name]) for name in names}


def _of_class(measure: str, name: str) -> str:
    """A row that all runs share: ``mid (266 to 476 days)`` is called ``mid``, since tertiles differ with the split."""
    return f"{title_of(measure)}, {short_name(name)}"


def _of_samples(key: str, classes: Sequence[str]) -> str:
    """The row of a key of :func:`common.metrics.judge` over samples: a measure, or ``<measure>_<class>``."""
    name = max((name for name in classes if key.endswith(f"_{name}")), key=len, default="")
    return f"{_of_class(key.removesuffix(f'_{name}'), name) if name else title_of(key)}{SAMPLES}"


def _of_vote(counted: str) -> str:
    return f"accuracy, {counted}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _with_interval(values: Mapping[str, Any], digits: int) -> str:
    return with_interval(values, digits) if values["n"] else "-"
