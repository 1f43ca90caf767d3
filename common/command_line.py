"""The words of a ``monai.bundle`` command line as a person typed them, and which of them MONAI would alter.

MONAI's command line is read by Python Fire, which takes ``2013_10_1`` for a number, and its configs give ``#``, ``@``,
``%`` and ``$`` a meaning. Ids stay as they were typed; a path that would be altered is refused by name.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from common.errors import Problem

PATHS = (
    *("bundle_root", "dataset_dir", "healthy_dir", "datalist", "split_file", "cache_dir", "output_dir"),
    *("weights", "init_weights", "checkpoint", "segmentation", "pretrained"),
    *("image", "flair", "t1", "t1ce", "t2", "brain_mask"),
)
"""Knobs whose value is a path."""

NAMES = ("subject", "exclude")
"""Knobs whose value is an id, or several of them."""

SIGILS = {"$": "an expression", "@": "a reference to another knob", "%": "a part of another config"}
UNSET = ("none", "null", "")
NOTHING = "$None"
"""How a knob is unset: MONAI drops an override that is ``None``, and takes ``null`` for a text."""

Word = str | bool


def own_arguments() -> list[str]:
    """What follows ``python -m monai.bundle`` in this process; empty where it is another program."""
    return sys.argv[1:] if Path(sys.argv[0]).parts[-3:] == ("monai", "bundle", "__main__.py") else []


def typed_words(arguments: Sequence[str]) -> dict[str, Word]:
    """``--name value``, ``--name=value`` and a bare ``--name``, which means true; nothing is interpreted."""
    given: dict[str, Word] = {}
    for argument, following in pairwise([*arguments, "--"]):
        if _is_flag(argument):
            name, equals, value = argument.lstrip("-").partition("=")
            bare = not equals and _is_flag(following)
            given[name.replace("-", "_")] = True if bare else (value if equals else following)
    return given


def fire_value(word: Word) -> Any:
    """What Python Fire makes of a word."""
    from fire.parser import DefaultParseValue

    return word if isinstance(word, bool) else DefaultParseValue(word)


def as_typed(knob: str, value: Any, arguments: Sequence[str] | None = None) -> Any:
    """The ids of a knob as a person typed them: ``2013_10_1``, where Fire has made 2013101 of it.

    Args:
        knob: ``subject`` or ``exclude``.
        value: what MONAI hands over; it is returned where the command line does not name the knob.
        arguments: a command line of ``monai.bundle``; by default this process's, if it is one.
    """
    word = typed_words(own_arguments() if arguments is None else arguments).get(knob)
    if not isinstance(word, str) or word.strip().lower() in UNSET:
        return value
    if knob == "subject":
        return _unquoted(word)
    read = fire_value(word)
    if isinstance(read, list | tuple) and all(isinstance(name, str) for name in read):
        return list(read)
    inner = word.strip()
    inner = inner[1:-1] if inner[:1] + inner[-1:] in ("[]", "()") else inner
    return [_unquoted(part.strip()) for part in _unquoted(inner).split(",")]


def with_typed_subject(files: Mapping[str, Any] | None) -> dict[str, Any]:
    """One patient's files and ``subject``, the latter as it was typed."""
    given = dict(files or {})
    return {**given, "subject": as_typed("subject", given["subject"])} if "subject" in given else given


def altered_words(arguments: Sequence[str]) -> list[Problem]:
    """Every path and id of a command line that a run would not see as it was typed, and how to give it."""
    problems = []
    for knob, word in typed_words(arguments).items():
        if knob in (*PATHS, *NAMES):
            values = as_typed(knob, word, arguments) if knob == "exclude" else _unquoted(str(word))
            found = [altered_value(knob, value) for value in (values if isinstance(values, list) else [values])]
            problems += [problem for problem in (*found, _misread(knob, word)) if problem][:1]
    return problems


def altered_values(values: Mapping[str, Any], typed: bool = True) -> list[Problem]:
    """The same of values that a file or a program gives; see :func:`altered_value`."""
    found = [altered_value(knob, value, typed) for knob, value in values.items() if knob in (*PATHS, *NAMES)]
    return [problem for problem in found if problem]


def altered_value(knob: str, value: Any, typed: bool = True) -> Problem | None:
    """Why MONAI's configs would alter a path or an id, ``None`` where they would not.

    Args:
        knob: its name.
        value: the path or the id.
        typed: a person typed it, who means no number, expression or reference; a program may.
    """
    where = f"--{knob}"
    if typed and _is_number(value) and knob != "pretrained":
        return Problem(f"{value!r} is a number, not a text", where, "Put it between quotation marks.")
    if not isinstance(value, str) or value == NOTHING:
        return None
    sign = value[:1]
    if sign in SIGILS:
        hint = "Put ./ before it, or give the whole path." if knob in PATHS else "Name the patient in a --datalist."
        what = f"{value!r} begins with {sign}, so that MONAI takes it for {SIGILS[sign]}"
        return Problem(what, where, hint) if typed else None
    if knob in PATHS and re.search(r"#|[@%]::", value):
        hint = "Rename it, or make a link to it whose path holds no # (ln -s)."
        return Problem(f"MONAI reads # as :: in a config, so that {value!r} would be another path", where, hint)
    return None


def _misread(knob: str, word: Word) -> Problem | None:
    """What Fire makes of a path that is none; ids are read back by :func:`as_typed`."""
    where = f"--{knob}"
    if isinstance(word, bool):
        may_be_bare = knob == "pretrained"
        return None if may_be_bare else Problem("no value is given", where, f"Give one: {where} <value>.")
    value = fire_value(word)
    if knob in NAMES or value is None or value == _unquoted(word):
        return None
    if knob == "pretrained" and isinstance(value, bool | int) and "_" not in word:
        return None
    if knob == "checkpoint" and isinstance(value, list | tuple) and all(isinstance(path, str) for path in value):
        return None
    way = f"{where} ./{word}" if not Path(word).is_absolute() else f"{where} \"'{word}'\""
    return Problem(f"{word} is a path, but the command line reads it as {value!r}", where, f"Write {way}.")


def _unquoted(word: str) -> str:
    """A word without the quotation marks that say that it is a text."""
    quoted = len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" and word[0] not in word[1:-1]
    return word[1:-1] if quoted else word


def _is_flag(word: str) -> bool:
    """As Fire tells a name from a value, such as -5."""
    return word.startswith("--") or re.match("-[a-zA-Z]", word) is not None


def _is_number(value: Any) -> bool:
    parts: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    return any(isinstance(part, int | float) and not isinstance(part, bool) for part in parts)
