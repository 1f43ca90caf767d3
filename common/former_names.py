"""Former names of a package: a renamed thing still works, and the error for one that moved names its new place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


def former_names(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """A package's ``__getattr__``, so that configs and programs written for an earlier version keep working.

    Args:
        package: its dotted name.
        names: by the former name, the name in the same package, or the dotted name in a later package, which this one
            must not import.

    Raises:
        AttributeError: the package has no such name; for one that moved, the message names its new place.
    """

    def find(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if "." in names[name]:
            raise AttributeError(f"{package}.{name} is now {names[name]}")
        return getattr(sys.modules[package], names[name])

    return find
