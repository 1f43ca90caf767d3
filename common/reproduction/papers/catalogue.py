"""The tables that can be made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from common.errors import KnobError, Problem
from common.reproduction.papers import p1 as tables_p1
from common.reproduction.papers import p2 as tables_p2
from common.reproduction.papers import p3 as tables_p3
from common.reproduction.papers import p4 as tables_p4
from common.reproduction.papers import p5 as tables_p5
from common.reproduction.table_plan import TASKS, PaperTable

TABLES: Mapping[str, Callable[[Sequence[str]], PaperTable]] = {
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


def find_table(name: str, task: str = "both") -> PaperTable:
    """The plan of a table.

    Args:
        name: a key of :data:`TABLES`.
        task: ``grade``, ``survival`` or ``both``.

    Raises:
        KnobError: the table does not have that task.
    """
    table = TABLES[name](TASKS if task == "both" else (task,))
    if task != "both" and any(model.task != task for model in table.models):
        what = f"{table.source} is not about {task}"
        raise KnobError(Problem(what, f"--task {task}", "Leave --task out, or ask for another table."))
    return table
