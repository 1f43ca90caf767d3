"""The whole reproduction: plan, run what is left, choose, and write the table.

What judges the runs takes seconds to import: it is when the options and the data set are known to be sound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from common.reproduction.options import Options, check_rows
from common.reproduction.recipes import plan_runs, plan_table
from common.reproduction.table_plan import PaperTable
from common.reproduction.table_run import TableRun
from common.runs.data_set import Cohort, read_data_set
from common.runs.processes import Outcome, Start, carry_out_all, check_folders, is_done


def reproduce(
    table: PaperTable, options: Options, only: Collection[str] | None = None, start: Start | None = None
) -> list[Outcome[TableRun]]:
    """Do the runs that are not done yet and write the table of all.

    Args:
        table: to make.
        options: on what and how.
        only: names of the models to run; the table is written of whatever is there. All of them by default.
        start: runs a command.

    Raises:
        KnobError: the options, or ``only``, are invalid.
        DatasetError: the data set cannot be used.
        OutputError: the output holds runs that were begun with other settings.
    """
    runs = plan_table(table, options)
    check_rows(table, only or ())
    cohort = _read_data_set(table, options)
    check_folders(runs)
    outcomes = list(_carry_out(runs, only, start))
    more = plan_chosen(table, options, outcomes)
    check_folders(more)
    outcomes += _carry_out(more, only, start)
    from common.reproduction.results_page import write_table

    write_table(table, options, outcomes, cohort)
    return outcomes


def plan_chosen(table: PaperTable, options: Options, outcomes: Sequence[Outcome[TableRun]]) -> list[TableRun]:
    """The runs of the networks that the searches have chosen; none where a run that they need is not done.

    Args:
        table: with its searches.
        options: on what and how.
        outcomes: of the runs so far.
    """
    from common.reproduction.head_search import choose
    from common.reproduction.results_page import collect

    ready = [search for search in table.searches if _is_ready(search.start.task, outcomes)]
    chosen = [choose(search, collect(outcomes), options.columns) for search in ready]
    return plan_runs(table, options, tuple(model for model in chosen if model is not None))


def _read_data_set(table: PaperTable, options: Options) -> Cohort:
    people = {"healthy_dir": options.healthy_dir, "modalities": ("t1ce",)} if table.healthy else {}
    return read_data_set(options.dataset_dir, table.cohort, options.settings, **people)


def _is_ready(task: str, outcomes: Sequence[Outcome[TableRun]]) -> bool:
    return all(is_done(outcome.run) for outcome in outcomes if outcome.run.model.task == task)


def _carry_out(
    runs: Sequence[TableRun], only: Collection[str] | None, start: Start | None
) -> Iterable[Outcome[TableRun]]:
    left_out = [run.name for run in runs if only is not None and run.model.name not in only]
    return carry_out_all(runs, start, left_out)
