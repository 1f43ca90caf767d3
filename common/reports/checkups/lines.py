"""Facts in aligned lines, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

MOST_KINDS = 5
INDENT = 14


def align(lines: Mapping[str, str]) -> str:
    """A line each, the texts below each other."""
    return "\n".join(f"  {name:<{INDENT}}{text}" for name, text in lines.items())


def count_kinds(values: Iterable[str]) -> str:
    """``12 LGG, 8 HGG``; the most frequent five, and how many kinds there are besides."""
    counts = Counter(values).most_common()
    told = ", ".join(f"{count} {value}" for value, count in counts[:MOST_KINDS])
    return told + (f" and {len(counts) - MOST_KINDS} other kinds" if len(counts) > MOST_KINDS else "")


def span(values: Iterable[int]) -> str:
    """``18 to 24``, or ``18`` where all are alike."""
    found = sorted(set(values))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
