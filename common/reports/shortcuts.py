"""What tells the classes without the tumour, as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from common.reports.page import DASH, Page
from common.reports.words import PATIENTS, Words

TOGETHER, CHANCE, P_VALUE = "all of these together", "what shuffled labels rarely pass", "p"
EXPLAINED = (
    "AUC of a small classifier that sees only what a row names, cross-validated over all {subjects} of the cohort. "
    "Where it beats shuffled labels the classes can be told without a look at the tumour."
)


def add_shortcuts(page: Page, shortcuts: Mapping[str, Any], words: Words = PATIENTS) -> None:
    """A section of a report, where anything was looked for.

    Args:
        page: to add it to.
        shortcuts: of :meth:`common.shortcuts.probe.ShortcutReport.to_json`.
        words: of the page.
    """
    questions = shortcuts.get("questions")
    if not questions:
        return
    page.heading("What tells the classes without the tumour")
    table = shortcut_table(shortcuts)
    if len(table):
        page.table(table)
        page.paragraph(EXPLAINED.format(subjects=words.subjects))
    for question in questions:
        if question["note"]:
            page.paragraph(f"Not judged: {question['question']}: {words.retell_of_subjects(question['note'])}")
        elif question["too_small"]:
            named = ", ".join(f"{name} ({count})" for name, count in question["too_small"].items())
            page.paragraph(f"Too few to be judged, and left out of {question['question']}: {named}.")


def shortcut_table(shortcuts: Mapping[str, Any]) -> pd.DataFrame:
    """A column a question that was judged, a row a trace."""
    judged = [question for question in shortcuts["questions"] if not question["note"]]
    columns = {
        question["question"]: {
            **{name: f"{auc:.2f}" for name, auc in question["alone"].items()},
            TOGETHER: f"{question['auc']:.2f}",
            CHANCE: f"{question['chance']:.2f}",
            P_VALUE: f"{question['p_value']:.3f}",
        }
        for question in judged
    }
    last = (TOGETHER, CHANCE, P_VALUE)
    traces = dict.fromkeys(name for column in columns.values() for name in column if name not in last)
    rows = [*traces, *last] if columns else []
    return pd.DataFrame(
        [{"what is seen": row, **{name: column.get(row, DASH) for name, column in columns.items()}} for row in rows]
    )
