"""The table as a person reads it; the words of the page are in ``reports/templates/reproduction.html.j2``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from common.cohorts.datasets.registry import source_name
from common.files import write_json
from common.formats.spreadsheets import write_frame
from common.reports.page import FEW_PATIENTS, PHANTOMS, render_page
from common.reproduction.assembly import ORDER, chosen_cells, fill, lay_out, to_json
from common.reproduction.data_tables import DATA_TABLES
from common.reproduction.difference_table import how_to_read, lay_out_differences
from common.reproduction.differences import list_differences
from common.reproduction.evaluation import Evaluation, sum_confusions
from common.reproduction.figures.drawings import draw_figures
from common.reproduction.fold_tests import contest_rows
from common.reproduction.head_search import Evaluations
from common.reproduction.options import Options
from common.reproduction.table_plan import OURS, PaperTable, counted_as
from common.reproduction.table_run import TableRun
from common.runs.data_set import Cohort
from common.runs.processes import FAILED, MISSING, Outcome, is_done
from common.tasks.registry import nouns_of


def collect(outcomes: Sequence[Outcome[TableRun]]) -> Evaluations:
    """What the finished runs have left."""
    found: dict[tuple[str, str], list[Evaluation]] = {}
    for outcome in outcomes:
        if is_done(outcome.run):
            evaluation = Evaluation(outcome.run.folder, outcome.run.repeat)
            found.setdefault((outcome.run.model.name, outcome.run.column.name), []).append(evaluation)
    return found


def write_table(
    table: PaperTable, options: Options, outcomes: Sequence[Outcome[TableRun]], cohort: Cohort
) -> pd.DataFrame:
    """Write ``table.csv`` and ``table.html`` (the paper's layout), ``table.json`` (every number) and the figures.

    Args:
        table: that was made.
        options: on what and how.
        outcomes: of its runs.
        cohort: its patients.

    Returns:
        The table in the paper's layout.
    """
    evaluations = collect(outcomes)
    cells = (*table.cells, *chosen_cells(table))
    filled = fill(cells, evaluations)
    frame = lay_out(cells, filled)
    differences = list_differences(table, cells, evaluations)
    warnings = list_warnings(table, options, outcomes, evaluations, cohort)
    held = DATA_TABLES[table.of_data](cohort.records) if table.of_data else pd.DataFrame()
    drawn = draw_figures(table, options.columns, evaluations, cohort.records, options.output)
    content: dict[str, Any] = {
        "table": table.name,
        "source": table.source,
        "cohort": dict(cohort.sources),
        "phantoms": cohort.phantoms,
        "settings": dict(options.settings),
        "warnings": warnings,
        "notes": list(table.notes),
        "data": held.to_dict("records"),
        "cells": to_json(cells, filled, differences),
        "contest": contest_rows(table.contest, evaluations) if table.contest else [],
        "figures": [
            {"figure": figure.plan.name, "column": figure.heading, "file": figure.path.name} for figure in drawn
        ],
        "runs": run_rows(outcomes),
    }
    write_json(options.output / "table.json", content)
    flat = frame.set_axis([": ".join(part for part in column if part) for column in frame.columns], axis="columns")
    write_frame(options.output / "table.csv", flat if table.cells else held)
    render_page(
        options.output / "table.html",
        "reproduction",
        plan=table,
        sources={source_name(name): count for name, count in cohort.sources.items()},
        warnings=warnings,
        cells=frame,
        held=held,
        columns=options.columns,
        differences=lay_out_differences(differences),
        differing=how_to_read(differences, options.repeats_of(table)),
        tests=pd.DataFrame(content["contest"]),
        drawn=drawn,
        confusions=_confusions(evaluations) if table.confusion else {},
        runs=pd.DataFrame(content["runs"]),
    )
    return frame


def list_warnings(
    table: PaperTable, options: Options, outcomes: Sequence[Outcome[TableRun]], evaluations: Evaluations, cohort: Cohort
) -> list[str]:
    """What must not be overlooked.

    Args:
        table: that was made.
        options: on what and how.
        outcomes: of its runs.
        evaluations: of those that are done.
        cohort: its patients.

    Returns:
        One or two sentences per warning.
    """
    warnings = [PHANTOMS] if cohort.phantoms else []
    if any(column != OURS.name for _, column in evaluations):
        warnings.append(table.leak)
    changed = [f"{name} = {value}" for name, value in options.settings.items()]
    changed += ["pre-trained weights from files, in every column"] if options.pretrained_dir else []
    changed += ["masks made with other weights (--segmentation)"] if options.segmentation else []
    if changed:
        warnings.append(f"Not what the table is about, but set on the command line: {'; '.join(changed)}.")
    failed = sum(outcome.state == FAILED for outcome in outcomes)
    missing = sum(outcome.state == MISSING for outcome in outcomes)
    if failed or missing:
        warnings.append(f"{failed} of {len(outcomes)} runs failed and {missing} were not run: their cells are blank.")
    found = [evaluation.facts for group in evaluations.values() for evaluation in group]
    fewest = min(found, key=lambda facts: facts["patients"], default={"patients": FEW_PATIENTS})
    if fewest["patients"] < FEW_PATIENTS:
        counted = nouns_of(fewest).count(fewest["patients"])
        warnings.append(f"As few as {counted}: the intervals are rough.")
    shortcuts = [sentence for facts in found for sentence in facts.get("shortcuts", {}).get("warnings", ())]
    return [*warnings, *dict.fromkeys(shortcuts)]


def run_rows(outcomes: Sequence[Outcome[TableRun]]) -> list[dict[str, Any]]:
    """How each run ended.

    Returns:
        One row per run: its state, how many patients and samples were judged, its verdict and its last error.
    """
    rows = []
    for outcome in outcomes:
        facts = Evaluation(outcome.run.folder).facts if is_done(outcome.run) else {}
        verdict = facts.get("verdict", {}).get("sentences", [""])[0]
        rows.append(
            {
                "run": outcome.run.name,
                "state": outcome.state,
                "side": facts.get("side", ""),
                "patients": facts.get("patients", ""),
                "samples": facts.get("samples", facts.get("slices", "")),
                "what it shows": verdict,
                "last error": outcome.message,
            }
        )
    return rows


def _confusions(evaluations: Evaluations) -> dict[str, pd.DataFrame]:
    """The confusion matrix of each model in each column, under its heading."""
    columns = {column.name: column for column in ORDER}
    found = {}
    for (name, column), repeats in evaluations.items():
        counted = counted_as("split", columns[column].split)
        cases = "images or slices" if counted == "samples" else counted
        found[f"{name}, {columns[column].heading}, {cases} counted"] = sum_confusions(repeats, counted)
    return found
