"""The whole cross-validation: plan, run what is left, and write the results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from common.crossvalidation.options import Options, check_options
from common.crossvalidation.plan import plan_folds
from common.crossvalidation.search import CandidateRun, choose, plan_candidates, plan_chosen, write_inner_splits
from common.runs.data_set import read_cohort_of
from common.runs.processes import Outcome, Start, carry_out_all, check_folders


def cross_validate(options: Options, start: Start | None = None) -> list[Outcome[Any]]:
    """Do the folds that are not done yet and write the results of all.

    Args:
        options: on what and how.
        start: runs a command.

    Returns:
        How the runs ended: those of the candidates, where knobs are searched, then those of the folds.

    Raises:
        KnobError: the options are invalid.
        DatasetError: the data set cannot be used.
        OutputError: the output holds folds that were begun with other settings, or on other patients.
        SplitLeakageError: a patient is tested in two folds.
    """
    check_options(options)
    planned = plan_candidates(options, 0) if options.search else plan_folds(options)
    cohort = read_cohort_of(planned[0].steps[0])
    tried = list(_try_candidates(options, start)) if options.search else []
    choices = choose(options, [outcome.run for outcome in tried])
    runs = plan_chosen(options, choices) if options.search else plan_folds(options)
    check_folders(runs)
    outcomes = list(carry_out_all(runs, start))
    from common.crossvalidation.results import write_results  # takes seconds to import

    write_results(options, outcomes, cohort, choices)
    return [*tried, *outcomes]


def _try_candidates(options: Options, start: Start | None) -> Iterator[Outcome[CandidateRun]]:
    for inner in range(options.inner_folds):
        if inner:
            write_inner_splits(options, inner)
        runs = plan_candidates(options, inner)
        check_folders(runs)
        yield from carry_out_all(runs, start)
