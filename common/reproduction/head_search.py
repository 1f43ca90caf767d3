"""The winner of a search, one factor at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean

from common.reproduction.evaluation import Evaluation
from common.reproduction.table_plan import Column, Model, Search, counted_as

Evaluations = Mapping[tuple[str, str], Sequence[Evaluation]]
"""The evaluations of each model in each column (by its name), one per repeat."""


def choose(search: Search, evaluations: Evaluations, columns: Sequence[Column]) -> Model | None:
    """The best options of all factors put together, for each column by its own measures.

    Where options are equally good, the first is taken.

    Args:
        search: with its factors.
        evaluations: of all runs.
        columns: to choose for.

    Returns:
        The network to judge once, ``None`` where an option has not been evaluated.
    """
    chosen = {}
    for column in columns:
        tried = [evaluations.get((name, column.name)) for options in search.factors.values() for name in options]
        if not all(tried):
            return None
        chosen[column.name] = {
            knob: value
            for options in search.factors.values()
            for knob, value in options[
                max(options, key=lambda name: _score(search, evaluations[name, column.name], column.split))
            ].items()
        }
    return replace(search.start, chosen=chosen)


def _score(search: Search, found: Sequence[Evaluation], split: str) -> float:
    """The mean over the repeats, on whatever side the models were judged."""
    values = [evaluation.measure(search.measure, counted_as("split", split)) for evaluation in found]
    return mean(value["mean"] for value in values if value is not None)
