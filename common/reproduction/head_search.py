"""The winner of a search, one factor at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import mean

from common.reproduction.evaluation import Evaluation
from common.reproduction.table_plan import Model, Search, counted_as

Evaluations = Mapping[tuple[str, str], Sequence[Evaluation]]
"""The evaluations of each model under each protocol, one per repeat."""


def choose(search: Search, evaluations: Evaluations, protocols: Sequence[str]) -> Model | None:
    """The best options of all factors put together, for each protocol by its own measures.

    Where options are equally good, the first is taken.

    Args:
        search: with its factors.
        evaluations: of all runs.
        protocols: to choose for.

    Returns:
        The network to judge once, ``None`` where an option has not been evaluated.
    """
    chosen = {}
    for protocol in protocols:
        tried = [evaluations.get((name, protocol)) for options in search.factors.values() for name in options]
        if not all(tried):
            return None
        chosen[protocol] = {
            knob: value
            for options in search.factors.values()
            for knob, value in options[
                max(options, key=lambda name: _score(search, evaluations[name, protocol], protocol))
            ].items()
        }
    return replace(search.start, of_protocol=chosen)


def _score(search: Search, found: Sequence[Evaluation], protocol: str) -> float:
    """The mean over the repeats, on whatever side the models were judged."""
    values = [evaluation.measure(search.measure, counted_as("protocol", protocol)) for evaluation in found]
    return mean(value["mean"] for value in values if value is not None)
