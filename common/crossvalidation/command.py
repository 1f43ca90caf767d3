"""The whole cross-validation: plan, run what is left, and write the results."""

from __future__ import annotations

from common.crossvalidation.options import Options, check_options
from common.crossvalidation.plan import FoldRun, plan_folds
from common.errors import KnobError, Problem
from common.runs.data_set import Cohort, read_data_set
from common.runs.processes import Outcome, Start, carry_out_all, check_folders
from common.tasks.registry import task_of_bundle


def cross_validate(options: Options, start: Start | None = None) -> list[Outcome[FoldRun]]:
    """Do the folds that are not done yet and write the results of all.

    Args:
        options: on what and how.
        start: runs a command.

    Raises:
        KnobError: the options are invalid.
        DatasetError: the data set cannot be used.
        OutputError: the output holds folds that were begun with other settings, or on other patients.
        SplitLeakageError: a patient is tested in two folds.
    """
    check_options(options)
    cohort = _read_data_set(options)
    runs = plan_folds(options)
    check_folders(runs)
    outcomes = list(carry_out_all(runs, start))
    from common.crossvalidation.results import write_results  # takes seconds to import

    write_results(options, outcomes, cohort)
    return outcomes


def _read_data_set(options: Options) -> Cohort:
    task = task_of_bundle(options.bundle.name)
    if task is None:
        what = "common/tasks/ knows no task of this bundle"
        raise KnobError(Problem(what, options.bundle, "Add one, as CONTRIBUTING.md says."))
    data = dict(options.data)
    folder = data.pop("dataset_dir", None)
    modalities = {"modalities": ("t1ce",)} if task.cohort == "people" else {}
    return read_data_set(folder, task.cohort, options.settings, **modalities, **data)
