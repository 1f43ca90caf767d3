"""The measure that a result is told by in a line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from common.metrics.measures import title_of
from common.tasks.registry import task_of


def tell_result(name: str, found: Mapping[str, Any]) -> str:
    """``AUC 0.91 (0.84 to 0.97)``; without the interval where there is none.

    Args:
        name: of the measure, in words.
        found: its ``mean`` with ``low`` and ``high``; also read from JSON, where what is not defined is ``None``.
    """
    mean, low, high = (float("nan") if found[key] is None else float(found[key]) for key in ("mean", "low", "high"))
    if math.isnan(mean):
        return f"{name} is not defined"
    return f"{name} {mean:.2f}" + ("" if math.isnan(low) else f" ({low:.2f} to {high:.2f})")


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
