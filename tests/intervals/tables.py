"""The answers of the studies as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import kstest

from tests.intervals.studies import NAIVE, Study

TABLES = ("classification", "Dice", "survival", "difference", "tests")
LEVELS = (0.01, 0.05, 0.1, 0.5)
PROMISED = (0.93, 0.97)

Answers = Mapping[str, Mapping[str, Sequence[float | None]]]
"""By study and question, one of each cohort; ``None`` where there is none."""


def write_table(kind: str, studies: Sequence[Study], answers: Answers) -> str:
    """A table of Markdown.

    Args:
        kind: one of :data:`TABLES`.
        studies: all of them.
        answers: of all of them.
    """
    chosen = [study for study in studies if study.kind == kind]
    write = _tests if kind == "tests" else _intervals
    return write(chosen, answers)


def coverage(answers: Sequence[float | None]) -> tuple[float, float]:
    """How many of the intervals hold the true value, and in how many cohorts there is an interval, as shares."""
    known = [answer for answer in answers if answer is not None]
    return (float(np.mean(known)) if known else float("nan")), len(known) / len(answers)


def _intervals(studies: Sequence[Study], answers: Answers) -> str:
    measures = list(dict.fromkeys(name for study in studies for name in answers[study.name]))
    headings = (f"true {name}" if name in TITLES.values() else name for name in studies[0].setting)
    rows = [[*headings, *map(_title, measures)]]
    for study in studies:
        given = answers[study.name]
        rows.append([*study.setting.values(), *(_cell(given.get(name)) for name in measures)])
    return _markdown(rows)


TITLES = {
    "macro_f1": "macro F1",
    "auc": "AUC",
    "dice": "mean Dice",
    "lesion_dice": "mean lesion-wise Dice",
    "hd95": "mean HD95",
    "concordance": "C-index",
}


def _title(name: str) -> str:
    """``naive AUC`` of ``naive auc``."""
    naive = NAIVE if name.startswith(NAIVE) else ""
    measure = name.removeprefix(NAIVE)
    return naive + TITLES.get(measure, measure)


def _cell(answers: Sequence[float | None] | None) -> str:
    """``94.8``, in bold below what is promised, in italics above; ``93.1 (of 88)`` where 88 % have one."""
    if answers is None:
        return ""
    covered, known = coverage(answers)
    if np.isnan(covered):
        return "no interval"
    text = f"{100 * covered:.1f}"
    low, high = PROMISED
    text = f"**{text}**" if round(covered, 3) < low else f"*{text}*" if round(covered, 3) > high else text
    return text if known == 1 else f"{text} (of {100 * known:.0f})"


def _tests(studies: Sequence[Study], answers: Answers) -> str:
    rows = [["patients", "data", "test", "cohorts", *(f"p ≤ {level:g}" for level in LEVELS), "uniform?"]]
    for study in studies:
        for name, given in answers[study.name].items():
            values = np.array([np.nan if value is None else value for value in given], dtype=float)
            known = values[~np.isnan(values)]
            shares = [f"{np.mean(known <= level):.3f}" for level in LEVELS]
            uniform = f"{kstest(known, 'uniform').pvalue:.2g}"
            if name in SHARES:
                shares, uniform = [f"{SHARES[name]} {known.mean():.3f}", *[""] * (len(LEVELS) - 1)], ""
            rows.append([*study.setting.values(), name, str(len(known)), *shares, uniform])
    return _markdown(rows)


SHARES = {"range of chance": "inside:", "alarm": "alarms:"}
"""What is no p-value, but a share of the cohorts."""


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
