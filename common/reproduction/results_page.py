"""The table as a person reads it: what was printed, what we measured, and what neither of them tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from common.files import atomic_path, write_json
from common.reports.caveats import FEW_PATIENTS
from common.reports.page import Page
from common.reproduction.assembly import HEADINGS, chosen_cells, fill, lay_out, to_json
from common.reproduction.evaluation import Evaluation
from common.reproduction.fold_tests import WORDS, test_rows
from common.reproduction.head_search import Evaluations
from common.reproduction.options import Options
from common.reproduction.runs import FAILED, MISSING, Outcome, is_done
from common.reproduction.table_plan import Contest, PaperTable, counted_as

PHANTOMS = "These are phantoms: generated images whose rule we wrote. The numbers say nothing clinical."


@dataclass(frozen=True)
class Cohort:
    """Whom the table is about.

    Args:
        sources: how many patients of which data set.
        phantoms: whether they are generated.
    """

    sources: Mapping[str, int]
    phantoms: bool


def collect(outcomes: Sequence[Outcome]) -> Evaluations:
    """What the finished runs have left."""
    found: dict[tuple[str, str], list[Evaluation]] = {}
    for outcome in outcomes:
        if is_done(outcome.run):
            evaluation = Evaluation(outcome.run.folder, outcome.run.repeat)
            found.setdefault((outcome.run.model.name, outcome.run.protocol), []).append(evaluation)
    return found


def write_table(table: PaperTable, options: Options, outcomes: Sequence[Outcome], cohort: Cohort) -> pd.DataFrame:
    """Write ``table.csv`` and ``table.html`` (the paper's layout) and ``table.json`` (every number) to the output.

    Returns:
        The table in the paper's layout.
    """
    evaluations = collect(outcomes)
    cells = (*table.cells, *chosen_cells(table))
    filled = fill(cells, evaluations)
    frame = lay_out(cells, filled)
    warnings = tell_warnings(table, options, outcomes, evaluations, cohort)
    content = {
        "table": table.name,
        "source": table.source,
        "cohort": dict(cohort.sources),
        "phantoms": cohort.phantoms,
        "settings": dict(options.settings),
        "warnings": warnings,
        "notes": list(table.notes),
        "cells": to_json(cells, filled),
        "contest": test_rows(table.contest, evaluations) if table.contest else [],
        "runs": run_rows(outcomes),
    }
    write_json(options.output / "table.json", content)
    with atomic_path(options.output / "table.csv") as path:
        flat = [": ".join(part for part in column if part) for column in frame.columns]
        frame.set_axis(flat, axis="columns").to_csv(path, index=False)
    _write_page(options.output / "table.html", table, frame, warnings, outcomes, evaluations, cohort)
    return frame


def tell_warnings(
    table: PaperTable, options: Options, outcomes: Sequence[Outcome], evaluations: Evaluations, cohort: Cohort
) -> list[str]:
    """What must not be overlooked, a sentence or two each."""
    warnings = [PHANTOMS] if cohort.phantoms else []
    if any(protocol == "paper" for _, protocol in evaluations):
        warnings.append(table.leak)
    changed = [f"{name} = {value}" for name, value in options.settings.items()]
    changed += ["pre-trained weights from files, under both protocols"] if options.pretrained_dir else []
    changed += ["masks by weights that were brought along"] if options.segmentation else []
    if changed:
        warnings.append(f"Not what the table is about, but set on the command line: {'; '.join(changed)}.")
    failed = sum(outcome.state == FAILED for outcome in outcomes)
    missing = sum(outcome.state == MISSING for outcome in outcomes)
    if failed or missing:
        warnings.append(f"{failed} of {len(outcomes)} runs failed and {missing} were not run: their cells are blank.")
    found = [evaluation.facts for group in evaluations.values() for evaluation in group]
    fewest = min((facts["patients"] for facts in found), default=FEW_PATIENTS)
    if fewest < FEW_PATIENTS:
        warnings.append(f"As few as {fewest} patients: the intervals are rough, and bootstrap makes them too narrow.")
    shortcuts = [text for facts in found for text in facts.get("shortcuts", {}).get("warnings", ())]
    return [*warnings, *dict.fromkeys(shortcuts)]


def run_rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """A row a run: how it ended and how many it judged."""
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


def _write_page(
    path: Path,
    table: PaperTable,
    frame: pd.DataFrame,
    warnings: Sequence[str],
    outcomes: Sequence[Outcome],
    evaluations: Evaluations,
    cohort: Cohort,
) -> None:
    page = Page(f"{table.source}: {table.title}")
    sources = ", ".join(f"{source} ({count})" for source, count in cohort.sources.items())
    page.paragraph(f"The printed numbers beside those measured here, on {sources}.")
    for warning in warnings:
        page.warning(warning)
    page.table(frame)
    for note in table.notes:
        page.paragraph(note)
    if table.contest:
        _add_contest(page, table.contest, evaluations)
    if table.confusion:
        for (name, protocol), found in evaluations.items():
            counted = counted_as("protocol", protocol)
            told = "images or slices" if counted == "samples" else counted
            page.heading(f"Confusion: {name}, {HEADINGS[protocol]}, {told} counted")
            page.table(sum_confusions(found, counted))
    page.heading("Runs")
    page.table(pd.DataFrame(run_rows(outcomes)))
    page.paragraph(
        "Each run's folder has a report of its own (report.html), its commands (run.json) and its log (log.txt)."
    )
    page.write(path)


def _add_contest(page: Page, contest: Contest, evaluations: Evaluations) -> None:
    page.heading(f"Is {contest.first[1]} better than {contest.second[1]}? By {contest.measure} over the folds")
    page.table(pd.DataFrame(test_rows(contest, evaluations)))
    for told in (*contest.words, *WORDS):
        page.paragraph(told)


def sum_confusions(found: Sequence[Evaluation], counted: str) -> pd.DataFrame:
    """The confusion matrices of all repeats, added up."""
    first, *others = (evaluation.confusion(counted) for evaluation in found)
    for other in others:
        first = first + other
    return first.rename_axis("truth").reset_index()
