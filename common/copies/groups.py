"""Groups of copies, and the pairs that join them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from common.formats.spreadsheets import write_frame

COLUMNS = ("group", "images_in_group", "subject", "image", "copy_of", "score", "transform")
CURVE_THRESHOLDS = tuple(round(0.6 + 0.01 * step, 2) for step in range(38))


class CopyPair(NamedTuple):
    """Two images that were compared.

    Args:
        first: a subject.
        second: another.
        score: correlation of the two laid over each other, 1 for the same picture.
        transform: what was done to the first to get the second, in words.
    """

    first: str
    second: str
    score: float
    transform: str


class CurvePoint(NamedTuple):
    """What a threshold would find.

    Args:
        threshold: the score from which a pair counts as copies.
        pairs: that reach it.
        groups: that they give; an image without a copy counts as one.
    """

    threshold: float
    pairs: int
    groups: int


@dataclass(frozen=True)
class CopyReport:
    """Which images are copies of each other.

    Args:
        images: the image file of every subject.
        compared: every pair that was laid over each other and did not disagree at once, the highest score first.
            Pairs that others with high scores had already joined are left out.
        threshold: the score from which a pair counts as copies.
    """

    images: dict[str, str]
    compared: Sequence[CopyPair]
    threshold: float

    @property
    def pairs(self) -> list[CopyPair]:
        """The pairs that count as copies, the highest score first: they join each group, but may not be all pairs."""
        return [pair for pair in self.compared if pair.score >= self.threshold]

    @cached_property
    def groups(self) -> list[list[str]]:
        """Subjects joined by copies, the largest group first; each is sorted, one without a copy is a group."""
        members: dict[int, list[str]] = {}
        for subject, group in zip(self.images, self._join(self.threshold), strict=True):
            members.setdefault(int(group), []).append(subject)
        return sorted((sorted(group) for group in members.values()), key=lambda group: (-len(group), group[0]))

    @cached_property
    def group_of(self) -> dict[str, str]:
        """The group of every subject, named after the first subject in it."""
        return {subject: group[0] for group in self.groups for subject in group}

    @cached_property
    def curve(self) -> list[CurvePoint]:
        """How many pairs and groups each threshold would give."""
        scores = np.array([pair.score for pair in self.compared])
        return [
            CurvePoint(threshold, int((scores >= threshold).sum()), len(np.unique(self._join(threshold))))
            for threshold in CURVE_THRESHOLDS
        ]

    def to_csv(self, path: str | Path) -> None:
        """Write one line per image: its group, the size of the group, and its best copy."""
        best_pair: dict[str, CopyPair] = {}
        for pair in self.pairs:
            best_pair.setdefault(pair.first, pair)
            best_pair.setdefault(pair.second, pair)
        rows = [
            (
                *(group[0], len(group), subject, self.images[subject]),
                *(_describe_copy(subject, best_pair[subject]) if subject in best_pair else ("", "", "")),
            )
            for group in self.groups
            for subject in group
        ]
        write_frame(path, pd.DataFrame(rows, columns=list(COLUMNS)))

    def _join(self, threshold: float) -> np.ndarray:
        """The group's number of every subject, in the order of ``images``."""
        place = {subject: index for index, subject in enumerate(self.images)}
        ends = [(place[pair.first], place[pair.second]) for pair in self.compared if pair.score >= threshold]
        return join_pairs(ends, len(place))


def join_pairs(ends: Sequence[tuple[int, int]], count: int) -> np.ndarray:
    """The number of the connected group of each of ``count`` points."""
    first, second = np.array(ends, dtype=np.intp).reshape(-1, 2).T
    graph = coo_array((np.ones(len(first), dtype=bool), (first, second)), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def _describe_copy(subject: str, pair: CopyPair) -> tuple[str, str, str]:
    other = pair.second if subject == pair.first else pair.first
    return other, f"{pair.score:.4f}", pair.transform
