"""Two networks over the folds of a cross-validation: the t-tests of what was printed and of what we measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common.metrics.t_tests import compare_folds
from common.reproduction.assembly import PRINTED
from common.reproduction.evaluation import Evaluation
from common.reproduction.head_search import Evaluations
from common.reproduction.table_plan import COLUMNS, Contest


def contest_rows(contest: Contest, evaluations: Evaluations) -> list[dict[str, Any]]:
    """The t-tests of the printed folds and of ours in each column.

    Folds that one of the two lacks are left out; fewer than two are no cross-validation.

    Args:
        contest: the two networks.
        evaluations: of all runs.

    Returns:
        One row per test; where t is above 0, the first network is better.
    """
    folds: dict[str, tuple[Sequence[float], Sequence[float]]] = {PRINTED: contest.published}
    for column in COLUMNS:
        first, second = (
            _folds(contest, evaluations.get((name, column.name), ())) for name, _ in (contest.first, contest.second)
        )
        both = sorted(first.keys() & second.keys())
        if len(both) > 1:
            folds[column.heading] = [first[fold] for fold in both], [second[fold] for fold in both]
    return [
        {
            "numbers": whose,
            "test": name,
            "folds": len(first),
            "t": test.statistic,
            "df": test.freedom,
            "p": test.p_value,
        }
        for whose, (first, second) in folds.items()
        for name, test in compare_folds(first, second).items()
    ]


def _folds(contest: Contest, found: Sequence[Evaluation]) -> dict[int, float]:
    """The measure of each fold."""
    read = {evaluation.repeat: evaluation.of_side(contest.side) for evaluation in found}
    values = {fold: evaluation.measure(contest.measure, "samples") for fold, evaluation in read.items()}
    return {fold: value["mean"] for fold, value in values.items() if value is not None}
