"""What a person must know before reading any number of an evaluation, whatever the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.cohorts.phantom_mark import is_phantom
from common.reports.words import words_of

FEW_PATIENTS = 20


def tell_caveats(summary: Mapping[str, Any], records: Sequence[Mapping[str, Any]], leaky: str) -> list[str]:
    """A sentence each: phantoms, the published protocol, a side that was learned from, few patients, shortcuts.

    Args:
        summary: with ``protocol``, ``side``, ``patients`` and ``shortcuts``, and perhaps ``target``.
        records: the whole cohort.
        leaky: what to say of the published protocol.
    """
    words, warnings = words_of(summary), []
    if any(is_phantom(record) for record in records):
        warnings.append("These are phantoms: generated images whose rule we wrote. The numbers say nothing clinical.")
    if summary["protocol"] == "paper":
        warnings.append(leaky)
    if summary["side"] != "test":
        warnings.append(
            f"The {summary['side']} side was used while training: this is no estimate for new {words.cases}."
        )
    if summary["patients"] < FEW_PATIENTS:
        warnings.append(
            f"Only {words.count(summary['patients'])}: the intervals are rough, and bootstrap makes them too narrow."
        )
    return warnings + [words.retell_of_subjects(warning) for warning in summary["shortcuts"]["warnings"]]
