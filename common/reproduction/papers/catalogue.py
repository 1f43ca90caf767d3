"""The tables that can be made, and the figures that are drawn with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.errors import KnobError, Problem
from common.reproduction.papers import p1 as tables_p1
from common.reproduction.papers import p1_figures, p2_figures, p3_figures, p4_figures
from common.reproduction.papers import p2 as tables_p2
from common.reproduction.papers import p3 as tables_p3
from common.reproduction.papers import p4 as tables_p4
from common.reproduction.papers import p5 as tables_p5
from common.reproduction.table_plan import TASKS, PaperFigure, PaperTable

TABLES: Mapping[str, Callable[[Sequence[str]], PaperTable]] = {
    "p1-table1": tables_p1.characteristics,
    "p1-table2": tables_p1.backbones,
    "p1-table3": tables_p1.head_search,
    "p1-table4": tables_p1.train_shares,
    "p1-table5": tables_p1.final_grade,
    "p1-table6": tables_p1.final_survival,
    "p2-table1": tables_p2.cross_validation,
    "p2-table2": tables_p2.held_out,
    "p3-table1": tables_p3.soft_dice,
    "p3-table2": tables_p3.true_masks,
    "p3-table3": tables_p3.predicted_masks,
    "p4-table1": tables_p4.spatio_spatial,
    "p5": tables_p5.methylation,
}

NOT_MADE: Mapping[str, Mapping[str, str]] = {
    "P1": p1_figures.NOT_MADE,
    "P2": p2_figures.NOT_MADE,
    "P3": p3_figures.NOT_MADE,
    "P4": p4_figures.NOT_MADE,
    "P5": tables_p5.NOT_MADE,
}
"""Tables and figures of each paper in which nothing is measured, and what they are."""


@dataclass(frozen=True)
class Listed:
    """A line of the list.

    Args:
        paper: ``P1`` to ``P5``.
        name: on the command line; empty where it is not made.
        source: which table or figure of the paper.
        told: its title, or why it is not made.
        table: with whose runs it is made; empty for a table itself.
    """

    paper: str
    name: str
    source: str
    told: str
    table: str = ""


def find_table(name: str, task: str = "both") -> PaperTable:
    """The plan of a table, or of the table that a figure is drawn with.

    Args:
        name: a key of :data:`TABLES`, or a figure's name.
        task: ``grade``, ``survival`` or ``both``.

    Raises:
        KnobError: the table does not have that task.
    """
    table = TABLES[name if name in TABLES else tables_of_figures()[name]](TASKS if task == "both" else (task,))
    if task != "both" and any(model.task != task for model in table.models):
        what = f"{table.source} is not about {task}"
        raise KnobError(Problem(what, f"--task {task}", "Leave --task out, or ask for another table."))
    return table


def find_figure(name: str, table: PaperTable) -> PaperFigure | None:
    """The figure of that name, if one of the table's has it."""
    return next((figure for figure in table.figures if figure.name == name), None)


def tables_of_figures() -> dict[str, str]:
    """The name of the table that each figure is drawn with.

    Returns:
        Under the figure's name.
    """
    return {figure.name: name for name, make in TABLES.items() for figure in make(TASKS).figures}


def list_papers() -> Iterator[Listed]:
    """Every table and every figure of the papers: tables first, then figures, then what is not made."""
    tables = {name: make(TASKS) for name, make in TABLES.items()}
    for paper in dict.fromkeys(table.source.partition(",")[0] for table in tables.values()):
        own = {name: table for name, table in tables.items() if table.source.startswith(f"{paper},")}
        yield from (Listed(paper, name, _place(table.source), table.title) for name, table in own.items())
        figures = [(figure, name) for name, table in own.items() for figure in table.figures]
        for figure, name in sorted(figures, key=lambda pair: _number(pair[0].source)):
            yield Listed(paper, figure.name, _place(figure.source), figure.title, name)
        yield from (Listed(paper, "", source, told) for source, told in NOT_MADE.get(paper, {}).items())


def _number(source: str) -> int:
    return int(re.sub(r"\D", " ", _place(source)).split()[0])


def _place(source: str) -> str:
    """``figure 9`` of ``P1, figure 9``."""
    return source.partition(", ")[2]
