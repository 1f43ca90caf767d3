"""Knobs of networks as plain values: numbers and lists may come as text from a command line."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any


def plain_knob(value: Any) -> Any:
    """``"[64, 64]"``, ``"0.3"`` and ``"none"`` are what they look like; any other text stays text."""
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
