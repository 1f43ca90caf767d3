"""What a figure is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.records import Record
from common.reproduction.evaluation import Evaluation
from common.tasks.published import short_name
from common.tasks.registry import nouns_of


@dataclass(frozen=True)
class Material:
    """The results of one column, and the data set.

    Args:
        evaluations: of the networks, one for each repeat, under what the figure calls the network; empty where the
            data set alone is drawn.
        records: of the patients or images.
        counted: what the column counts, ``samples`` or ``patients``.
    """

    evaluations: Mapping[str, Sequence[Evaluation]]
    records: Sequence[Record]
    counted: str = "samples"

    @property
    def units(self) -> dict[str, str]:
        """What can be counted.

        Returns:
            ``samples``, where a patient has several, and ``patients``, each with its name in words.
        """
        samples = {"samples": "images or slices"} if self._first.has_samples else {}
        return {**samples, "patients": nouns_of(self._first.facts).cases}

    @property
    def classes(self) -> list[str]:
        """The short names of the classes.

        Returns:
            In the order of their labels.
        """
        return [short_name(name) for name in self._first.classes]

    @property
    def _first(self) -> Evaluation:
        return next(iter(self.evaluations.values()))[0]
