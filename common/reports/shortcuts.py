"""What predicts the class without the tumour, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from common.reports.page import DASH

TOGETHER, CHANCE, P_VALUE = "all traits together", "rarely exceeded with shuffled labels", "p"
AGAINST = "all traits together, {} against the others"


def shortcut_table(shortcuts: Mapping[str, Any]) -> pd.DataFrame:
    """What the shortcut probe found.

    Args:
        shortcuts: of :meth:`common.shortcuts.answers.ShortcutReport.to_json`.

    Returns:
        One column per question that was judged, one row per trait; empty where nothing was judged.
    """
    judged = [question for question in shortcuts.get("questions", ()) if not question["note"]]
    columns = {
        question["question"]: {
            **{name: f"{auc:.2f}" for name, auc in question["alone"].items()},
            TOGETHER: f"{question['auc']:.2f}",
            CHANCE: f"{question['chance']:.2f}",
            P_VALUE: f"{question['p_value']:.3f}",
            **{AGAINST.format(name): f"{auc:.2f}" for name, auc in question.get("classes", {}).items()},
        }
        for question in judged
    }
    against = [AGAINST.format(name) for question in judged for name in question.get("classes", {})]
    last = (TOGETHER, *dict.fromkeys(against), CHANCE, P_VALUE)
    traits = dict.fromkeys(name for column in columns.values() for name in column if name not in last)
    rows = [*traits, *last] if columns else []
    return pd.DataFrame(
        [{"trait": row, **{name: column.get(row, DASH) for name, column in columns.items()}} for row in rows]
    )
