"""What a message states, apart from its words."""

from __future__ import annotations

import re


def numbers(text: str) -> list[float]:
    """The numbers of a text, in their order."""
    return [float(number) for number in re.findall(r"(?<![\w.])-?\d*\.?\d+", text)]


def in_order(text: str, *parts: str) -> bool:
    """Whether a text holds all of these parts, each after the one before."""
    return re.search(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None
