"""The result of a benchmark, and how two costs are timed side by side."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

THREADS = 2
"""All is measured on two threads, as the table says."""


@dataclass(frozen=True)
class Ratio:
    """What something costs, against the least that it could cost.

    Args:
        name: of the benchmark.
        ours: the cost as the bundle has it, in ``unit``.
        bare: the cost of the bare work, measured in the same run.
        limit: the target: the largest ratio of the two.
        unit: of both costs.
        measured: the day, as in 2026-11-27.
    """

    name: str
    ours: float
    bare: float
    limit: float
    unit: str = "s"
    measured: str = ""

    @property
    def value(self) -> float:
        """Ours by bare."""
        return self.ours / self.bare

    @property
    def met(self) -> bool:
        """Whether the target is reached, to the two digits that the table shows."""
        return round(self.value, 2) <= self.limit


def alternate(
    ours: Callable[[], object],
    bare: Callable[[], object],
    repeats: int,
    advance: Callable[[], object],
    clock: Callable[[], float] | None = None,
) -> tuple[float, float]:
    """Median seconds of two functions, called in turn so that a drift of the machine affects both.

    A first call of each is not counted. ``advance`` is called after each pair, ``repeats + 1`` times.

    Args:
        ours: the function of the bundle.
        bare: the bare work.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
        clock: in seconds; by default those on the wall.

    Returns:
        Medians in seconds, ours and bare.
    """
    now = clock or time.perf_counter
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats + 1):
        for function, measured in zip((ours, bare), seconds, strict=True):
            begun = now()
            function()
            measured.append(now() - begun)
        advance()
    return median(seconds[0][1:]), median(seconds[1][1:])
