"""The results of a cross-validation: the predictions of all folds, a table, every number as JSON, and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.cohorts.datasets.registry import source_name
from common.crossvalidation.folds import Fold, check_together, mean_test_to_train, pool_rows, read_fold
from common.crossvalidation.measures import Measures, average, average_gains, list_measures, pool
from common.crossvalidation.options import K_FOLD, Options
from common.crossvalidation.plan import FoldRun
from common.crossvalidation.search import Choice, as_words
from common.files import write_json
from common.formats.spreadsheets import write_frame
from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.intervals.bootstrap import Summary
from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.roc import roc_curves
from common.reports.classification.curves import draw_roc
from common.reports.key_result import tell_result
from common.reports.page import DASH, render_page
from common.reports.pictures import draw_confusion
from common.reports.segmentation import patient_table
from common.runs.data_set import Cohort
from common.runs.processes import Outcome, is_done
from common.tasks.registry import nouns_of, task_of

POOLED, AVERAGE = "all patients", "mean over the folds"


@dataclass(frozen=True)
class Results:
    """What the finished folds show.

    Args:
        folds: in their order; at least one.
        rows: their predictions.
        pooled: all patients together, each judged once; ``None`` where patients are tested repeatedly.
        mean: over the folds.
        gains: over the baselines, on average over the folds.
    """

    folds: Sequence[Fold]
    rows: pd.DataFrame
    pooled: Mapping[str, Any] | None
    mean: Measures
    gains: Mapping[str, Mapping[str, Summary]]

    @property
    def columns(self) -> dict[str, Measures]:
        """The columns of the table: all patients, the mean over the folds, and each fold."""
        together = {POOLED: list_measures(self.pooled)} if self.pooled else {}
        single = {f"fold {fold.number}": list_measures(fold.facts) for fold in self.folds}
        return {**together, AVERAGE: self.mean, **single}

    @property
    def answer(self) -> tuple[str, Summary]:
        """The key measure and what is found of it, for all patients where they are judged together."""
        column = next(iter(self.columns.values()))
        return next(iter(column.items()))


def read_results(options: Options, outcomes: Sequence[Outcome[FoldRun]]) -> Results | None:
    """Read the finished folds; ``None`` where none is done.

    Raises:
        OutputError: as of :func:`~common.crossvalidation.folds.check_together`.
        SplitLeakageError: likewise.
    """
    folds = [read_fold(outcome.run.folder, outcome.run.fold) for outcome in outcomes if is_done(outcome.run)]
    if not folds:
        return None
    each_once = options.scheme == K_FOLD
    check_together(folds, each_once)
    rows = pool_rows(folds)
    return Results(folds, rows, pool(folds, rows) if each_once else None, average(folds), average_gains(folds))


def write_results(
    options: Options, outcomes: Sequence[Outcome[FoldRun]], cohort: Cohort, choices: Sequence[Choice] = ()
) -> None:
    """Write ``predictions.csv``, ``table.csv``, ``table.json`` and ``table.html`` to the output.

    Args:
        options: of the cross-validation.
        outcomes: of its runs.
        cohort: its patients.
        choices: of each fold, where knobs were searched.
    """
    results = read_results(options, outcomes)
    if results is None:
        return
    table = lay_out(results.columns)
    write_frame(options.output / "predictions.csv", results.rows)
    write_frame(options.output / "table.csv", table)
    write_json(options.output / "table.json", _to_json(options, results, outcomes, cohort, choices))
    summary = {**results.folds[0].facts, **_of_cohort(results, cohort)}
    render_page(
        options.output / "table.html",
        "crossvalidation",
        options=options,
        summary=summary,
        task=task_of(summary),
        nouns=nouns_of(summary),
        answer=tell_result(*results.answer),
        judged=_count_tests(results.rows),
        claims=sum(bool(fold.facts.get("verdict", {}).get("claim")) for fold in results.folds),
        done=len(results.folds),
        sources={source_name(name): count for name, count in cohort.sources.items()},
        ratio=mean_test_to_train(results.folds),
        table=table,
        of_regions=() if results.folds[0].classes else REGION_MEASURES,
        pooled=results.pooled is not None,
        gains=_gain_table(results),
        figures=_figures(results),
        choices=pd.DataFrame([_choice_row(choice) for choice in choices]),
        runs=pd.DataFrame(_run_rows(results, outcomes)),
        rows=_shown_rows(results).rename(columns=dict(nouns_of(summary).columns)),
    )


def _shown_rows(results: Results) -> pd.DataFrame:
    return results.rows if results.folds[0].classes else patient_table(results.rows)


def lay_out(columns: Mapping[str, Measures]) -> pd.DataFrame:
    """The measures as a table of text.

    Args:
        columns: of :attr:`Results.columns`.

    Returns:
        One row per measure.
    """
    names = dict.fromkeys(name for measures in columns.values() for name in measures)
    return pd.DataFrame(
        [
            {"measure": name, **{head: as_text(measures.get(name)) for head, measures in columns.items()}}
            for name in names
        ]
    )


def as_text(value: Summary | None) -> str:
    """``0.812 (0.730 to 0.884)``, with fewer digits from 10 and from 1,000 on; a dash where it is undefined."""
    if value is None or np.isnan(value["mean"]):
        return DASH
    size = abs(value["mean"])
    digits = 3 if size < 10 else 1 if size < 1000 else 0
    mean, low, high = (f"{value[key]:,.{digits}f}" for key in ("mean", "low", "high"))
    return mean if np.isnan(value["low"]) else f"{mean} ({low} to {high})"


def _to_json(
    options: Options,
    results: Results,
    outcomes: Sequence[Outcome[FoldRun]],
    cohort: Cohort,
    choices: Sequence[Choice],
) -> dict[str, Any]:
    name, value = results.answer
    return {
        "bundle": options.bundle.name,
        **{key: getattr(options, key) for key in ("scheme", "folds", "config", "recipe", "split_by")},
        "settings": dict(options.settings),
        "cohort": dict(cohort.sources),
        "phantoms": cohort.phantoms,
        "answer": {"measure": name, **value},
        "test_to_train": mean_test_to_train(results.folds),
        "columns": results.columns,
        "gains": results.gains,
        "confusion": (results.pooled or {}).get("confusion"),
        "inner_folds": options.inner_folds,
        "choices": [{"fold": choice.fold, "chosen": dict(choice.chosen), **_scores(choice)} for choice in choices],
        "runs": _run_rows(results, outcomes),
    }


def _scores(choice: Choice) -> dict[str, float]:
    return {as_words(knobs): score for knobs, score in zip(choice.candidates, choice.scores, strict=True)}


def _choice_row(choice: Choice) -> dict[str, Any]:
    return {"fold": choice.fold, "chosen": as_words(choice.chosen), **_scores(choice)}


def _of_cohort(results: Results, cohort: Cohort) -> dict[str, Any]:
    """What the page says of the whole, in place of what the first fold says of itself."""
    warnings = [sentence for fold in results.folds for sentence in fold.facts.get("shortcuts", {}).get("warnings", ())]
    counts = [fold.facts["test_evaluations"] for fold in results.folds if "test_evaluations" in fold.facts]
    chosen_on = [fold.facts["weights"].get("chosen_on") for fold in results.folds]
    return {
        **({"test_evaluations": max(counts)} if counts else {}),
        "weights": {**results.folds[0].facts["weights"], "chosen_on": "test" if "test" in chosen_on else chosen_on[0]},
        "patients": int(results.rows["subject"].nunique()),
        "phantom": cohort.phantoms,
        "shortcuts": {"warnings": list(dict.fromkeys(warnings))},
    }


def _count_tests(rows: pd.DataFrame) -> tuple[int, int]:
    """How often the patient is tested who is tested least, and most."""
    counts = rows.groupby("subject")["fold"].nunique()
    return int(counts.min()), int(counts.max())


def _gain_table(results: Results) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "baseline": name,
                "its AUC": as_text(found["baseline"]),
                "network minus baseline": as_text(found["gain"]),
                "folds": found["gain"]["n"],
            }
            for name, found in results.gains.items()
        ]
    )


def _figures(results: Results) -> dict[str, Figure]:
    """Of all patients together, where classes are predicted."""
    if not results.pooled or "confusion" not in results.pooled:
        return {}
    classes, rows = list(results.pooled["classes"]), results.rows
    drawn = {"confusion": draw_confusion(np.array(results.pooled["confusion"]), classes)}
    curves = roc_curves(truth_of(rows, classes), probabilities_of(rows, classes), rows["subject"])
    return drawn | ({"roc": draw_roc({classes[label]: band for label, band in curves.items()})} if curves else {})


def _run_rows(results: Results, outcomes: Sequence[Outcome[FoldRun]]) -> list[dict[str, Any]]:
    """How each run ended, and who was on its sides."""
    by_number = {fold.number: fold for fold in results.folds}
    rows = []
    for outcome in outcomes:
        fold = by_number.get(outcome.run.fold)
        sides = Counter({side: len(units) for side, units in fold.split.sides.items()}) if fold else Counter()
        verdict = fold.facts.get("verdict", {}).get("sentences", [""])[0] if fold else ""
        rows.append(
            {
                "run": outcome.run.name,
                "state": outcome.state,
                **{side: sides[side] or "" for side in ("train", "validation", "test")},
                "best epoch": fold.facts["weights"].get("epoch", "") if fold else "",
                "what it shows": verdict,
                "last error": outcome.message,
            }
        )
    return rows
