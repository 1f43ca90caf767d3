"""Values of knobs as a command line passes them: booleans and lists as text."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from common.errors import KnobError, Problem

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0", "none", "null", "")


def as_bool(value: Any, knob: str = "value") -> bool:
    """A boolean knob, also where the command line passed it as text (``--resume false`` arrives as ``'false'``).

    Raises:
        KnobError: the value means neither.
    """
    word = str(value).strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise KnobError(Problem(f"{value!r} is neither true nor false", f"--{knob}", "Use true or false."))


def bool_or_path(value: Any) -> bool | str:
    """A knob that is true, false or a file, such as ``pretrained``."""
    word = str(value).strip().lower()
    return as_bool(word) if word in (*TRUE_WORDS, *FALSE_WORDS) else str(value)


def plain_knob(value: Any) -> Any:
    """``"[64, 64]"``, ``"0.3"`` and ``"none"`` become the values that they spell; any other text stays text."""
    if isinstance(value, str):
        if value.strip().lower() in ("none", "null", ""):
            return None
        try:
            return ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            return value
    return value


def as_tuple(value: Any) -> Any:
    """A list as a tuple, nothing as an empty one, and a single value as a tuple of it."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def is_count(value: Any, least: int = 1) -> bool:
    """Whether it is a whole number of ``least`` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
