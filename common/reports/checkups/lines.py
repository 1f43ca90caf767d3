"""Facts in aligned lines, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

MOST_KINDS = 5
INDENT = 14


def align(lines: Mapping[str, str]) -> str:
    """One line per fact, the texts aligned."""
    return "\n".join(f"  {name:<{INDENT}}{text}" for name, text in lines.items())


def count_kinds(values: Iterable[str]) -> str:
    """``12 LGG, 8 HGG``; the five most frequent, and how many other kinds there are."""
    counts = Counter(values).most_common()
    shown = ", ".join(f"{count} {value}" for value, count in counts[:MOST_KINDS])
    return shown + (f" and {len(counts) - MOST_KINDS} other kinds" if len(counts) > MOST_KINDS else "")


def span(values: Iterable[int]) -> str:
    """``18 to 24``, or ``18`` where all are equal."""
    found = sorted(set(values))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"
