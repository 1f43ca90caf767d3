"""The measure that a result is told by in a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.metrics.measures import title_of
from common.tasks.registry import task_of


def key_result(summary: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The key measure of the task; the AUC where it was not computed, as the days of shuffled labels.

    Args:
        summary: as of ``metrics.json``.

    Returns:
        The measure in words, and its ``mean`` with ``low``, ``high`` and ``n``.
    """
    measures = {**summary, **summary.get("measures", {}), **summary.get("survival", {}).get("measures", {})}
    name = task_of(summary).key_measure
    name = name if name in measures else "auc"
    return title_of(name), measures[name]
