"""What a paper printed about its network, to be shown beside our own numbers. All are shares of 1.

P1, P3 and P5 count images or slices, and images or slices of one patient are on both sides of their splits. What
others found for MGMT counts patients that the networks were not trained on. P4 counts volumes, one per person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NOTHING: Mapping[str, Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True)
class Published:
    """Numbers of a paper.

    Args:
        source: paper and table or section.
        measures: under the names of :func:`common.metrics.judge`.
        per_class: the same for each class, under its short name.
        votes: accuracies under the names of :func:`common.metrics.vote_table`.
        backbone: the network that they are about, where the paper compares several.
    """

    source: str
    measures: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: NOTHING)
    votes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: NOTHING)
    backbone: str | None = None


def short_name(name: str) -> str:
    """``mid`` of ``mid (268 to 476 days)``: the name of the class without the split's days."""
    return name.split(" (")[0]
