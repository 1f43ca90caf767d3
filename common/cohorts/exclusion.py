"""Leaving patients out by name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping

from common.errors import KnobError, Problem


def split_names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """Split a list of names.

    Args:
        names: a list (from a config), one comma-separated string (from ``--exclude a,b``), or ``None`` or ``""`` for an
            unset knob.

    Returns:
        The names without blanks and repetitions, in their order.
    """
    if names is None:
        return ()
    parts = names.split(",") if isinstance(names, str) else [str(name) for name in names]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def keep_scans(subjects: Mapping[str, str], excluded: Collection[str]) -> list[str]:
    """The scans that stay when ``excluded`` patients, with all their scans, or single scans are left out.

    A misspelt name would leave a bad patient in the cohort, so it is refused.

    Args:
        subjects: the subject of each scan, under the scan's name; both are the same where patients have one scan.
        excluded: names of subjects or scans.

    Raises:
        KnobError: a name is neither a subject nor a scan of the cohort; the message names near matches.
    """
    known = {*subjects, *subjects.values()}
    problems = [_unknown(name, known) for name in excluded if name not in known]
    if problems:
        raise KnobError(problems)
    return [scan for scan, subject in subjects.items() if not {scan, subject} & set(excluded)]


def _unknown(name: str, known: set[str]) -> Problem:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    elif known:
        hint = f"Subjects have names such as {min(known)}."
    else:
        hint = "No patient was found at all."
    return Problem(f"'{name}' is no patient of this cohort", "--exclude", hint)
