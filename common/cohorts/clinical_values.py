"""Clinical values as the tables of BraTS and users' lists write them: grade, age, survival, resection."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from common.errors import DatasetError, Problem
from common.formats.tables import as_text, read_table, require_columns
from common.records import HEALTHY

NOT_RECORDED: dict[str, Any] = {
    "grade": None,
    "age": None,
    "survival_days": None,
    "alive": False,
    "resection": None,
}
"""The clinical part of a record without any value."""

OLDEST = 120
ID_COLUMN = re.compile(r"brats\d+id|brats_\d{4}_subject_id")
COMMA = re.compile(r"\d+,\d+")
"""Of an age always a decimal one: BraTS writes three digits, ``60,463``, and nobody lives a thousand years."""

DECIMAL_COMMA = re.compile(r"[+-]?\d+,(?!\d{3}$)\d+")
"""``61,5``; ``1,250`` may mean a thousand more, and is refused."""

THOUSANDS = re.compile(r"\d{1,3}([.,]\d{3})+")
"""``1,250``, or ``1.250`` as the languages that write ``61,5`` group digits."""

STILL_ALIVE = re.compile(r"alive(?:\s*\(\s*(\d+(?:\.\d+)?)\s+days?\s+later\s*\))?", re.IGNORECASE)
METHYLATION = {"1": 1, "1.0": 1, "methylated": 1, "0": 0, "0.0": 0, "unmethylated": 0}
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Clinical = dict[str, Any]


def parse_grade(text: str) -> Clinical:
    """``HGG``, ``LGG``, or ``healthy`` for a person without a tumour."""
    return {"grade": _one_of(text, ("HGG", "LGG", HEALTHY))}


def parse_age(text: str) -> Clinical:
    """Years above 0, 120 at most."""
    age = _number(text.replace(",", ".") if COMMA.fullmatch(text) else text)
    if not 0 < age <= OLDEST:
        raise ValueError(f"is not an age between 0 and {OLDEST} years")
    return {"age": age}


def parse_survival(text: str) -> Clinical:
    """Days, or ``ALIVE (361 days later)``: a censored time, 361 days at least."""
    censored = STILL_ALIVE.fullmatch(text)
    if censored:
        return {"survival_days": float(censored[1]) if censored[1] else None, "alive": True}
    if THOUSANDS.fullmatch(text):
        raise ValueError("may be thousands, or a part of a day")
    days = _number(text)
    if days < 0:
        raise ValueError("is negative")
    return {"survival_days": days}


def parse_alive(text: str) -> Clinical:
    """Whether the patient was alive at ``survival_days``, so that the time is censored."""
    if text.lower() not in TRUTH:
        raise ValueError("is neither true nor false")
    return {"alive": TRUTH[text.lower()]}


def parse_resection(text: str) -> Clinical:
    """``GTR`` (gross total) or ``STR`` (subtotal)."""
    return {"resection": _one_of(text, ("GTR", "STR"))}


def parse_mgmt(text: str) -> Clinical:
    """Whether the MGMT promoter is methylated: 1 or 0."""
    if text.lower() not in METHYLATION:
        raise ValueError("is not 1 (methylated) or 0 (not)")
    return {"mgmt": METHYLATION[text.lower()]}


PARSERS: dict[str, Callable[[str], Clinical]] = {
    "grade": parse_grade,
    "age": parse_age,
    "alive": parse_alive,
    "survival_days": parse_survival,
    "resection": parse_resection,
    "mgmt": parse_mgmt,
}


def parse_clinical(
    row: Mapping[str, Any], where: str, titles: Mapping[str, str] | None = None
) -> tuple[Clinical, list[Problem]]:
    """The clinical values of a row whose columns are named as in records.

    Args:
        row: text or numbers under the keys of :data:`PARSERS`; others are ignored.
        where: file and line, for the messages.
        titles: what the file calls the columns, for the messages.

    Returns:
        What was recorded, and a problem for every value that cannot be understood.
    """
    values: Clinical = {}
    problems = []
    for column, parse in PARSERS.items():
        text = as_text(row.get(column))
        if not text:
            continue
        try:
            values.update(parse(text))
        except ValueError as error:
            what = f"column {(titles or {}).get(column, column)}: '{text}' {error}"
            problems.append(Problem(what, where, "Correct the value, or write NA where it is not known."))
    return values, problems


def read_clinical(tables: Mapping[Path, Iterable[str]]) -> tuple[dict[str, Clinical], list[Problem]]:
    """Read BraTS's name mapping and survival tables.

    Args:
        tables: each file with the columns that it must have.

    Returns:
        What was recorded of each patient, under the patient's id in lower case, and all problems.
    """
    patients: dict[str, Clinical] = {}
    problems: list[Problem] = []
    for path, needed in tables.items():
        try:
            problems += _read_into(patients, path, needed)
        except DatasetError as error:
            problems += error.problems
    return patients, problems


def _read_into(patients: dict[str, Clinical], path: Path, needed: Iterable[str]) -> list[Problem]:
    table = read_table(path)
    require_columns(table, needed)
    id_columns = [column for column in table.titles if ID_COLUMN.fullmatch(column)]
    if not id_columns:
        what = f"has no column with the patients' ids; its columns are {', '.join(table.titles.values())}"
        hint = "A column such as BraTS20ID or BraTS_2020_subject_ID is needed."
        raise DatasetError(Problem(what, path, hint))
    problems = []
    for line, row in table.rows:
        where = f"{path}, line {line}"
        values, unreadable = parse_clinical(row, where, table.titles)
        problems += unreadable
        for subject in filter(None, (as_text(row.get(column)) for column in id_columns)):
            problems += merge_clinical(patients.setdefault(subject.lower(), {}), values, f"{where} ({subject})")
    return problems


def merge_clinical(known: Clinical, values: Clinical, where: str) -> list[Problem]:
    """Add ``values`` to what is ``known`` of a patient; tables may repeat values but not contradict each other."""
    contradicted = [key for key, value in values.items() if known.setdefault(key, value) != value]
    return [
        Problem(f"{key} is {values[key]}, but {known[key]} in another row or table", where, "Keep what is right.")
        for key in contradicted
    ]


def _number(text: str) -> float:
    try:
        number = float(text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return number


def _one_of(text: str, choices: Sequence[str]) -> str:
    known = {choice.lower(): choice for choice in choices}
    if text.lower() not in known:
        raise ValueError(f"is not {', '.join(choices[:-1])} or {choices[-1]}")
    return known[text.lower()]
