"""The run of a network of a table."""

from __future__ import annotations

from dataclasses import dataclass

from common.reproduction.table_plan import Column, Model
from common.runs.steps import Run


@dataclass(frozen=True)
class TableRun(Run):
    """A network of a table in one column, on one split.

    Args:
        name: as of :class:`Run`, like the next two.
        folder: likewise.
        steps: likewise.
        model: that is trained and judged.
        column: how it is trained, and on what kind of split.
        repeat: which split, from 0.
    """

    model: Model
    column: Column
    repeat: int
