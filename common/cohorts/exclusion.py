"""Leaving patients out by name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from common.errors import KnobError, Problem


def split_names(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """The subjects of ``names``, a list or one comma-separated string, without blanks and repetitions.

    A command line delivers ``--exclude a,b`` as one string, a config a list, and an unset knob ``None`` or ``""``.
    """
    if names is None:
        return ()
    parts = names.split(",") if isinstance(names, str) else [str(name) for name in names]
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def refuse_unknown(excluded: Iterable[str], subjects: Collection[str]) -> None:
    """Refuse to exclude a patient who is not there: a misspelt name would let a bad patient in.

    Raises:
        KnobError: a name is no subject of the cohort; near matches are named.
    """
    known = set(subjects)
    problems = [_unknown(name, known) for name in excluded if name not in known]
    if problems:
        raise KnobError(problems)


def _unknown(name: str, known: set[str]) -> Problem:
    near = difflib.get_close_matches(name, sorted(known), n=3)
    if near:
        mend = f"Did you mean {' or '.join(near)}?"
    elif known:
        mend = f"Subjects are named as {min(known)}."
    else:
        mend = "No patient was found at all."
    return Problem(f"'{name}' is no patient of this cohort", "--exclude", mend)
