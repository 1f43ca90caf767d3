"""Survival in days beside its classes: predicted days, and the measures of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from common.cohorts.labels.survival_classes import SurvivalClasses
from common.knobs import as_bool
from common.metrics.judgement import probabilities_of
from common.metrics.survival_measures import predict_days, summarise_survival
from common.records import Record, value_of


class SurvivalDays:
    """What a report of survival adds to that of its classes.

    Args:
        classes: of survival.
        median_days: median training days of each of them.
        brats: also compute BraTS's measures of survival.
    """

    def __init__(self, classes: SurvivalClasses, median_days: Sequence[float], brats: bool | str = False) -> None:
        self.classes, self.median_days = classes, tuple(median_days)
        self.brats = as_bool(brats, "brats_survival")

    def label(self, records: Sequence[Record]) -> list[Record]:
        """Copies of the records with their ``label``; ``None`` where it is open, which counts as set aside."""
        return [{**record, "label": self.classes.label(record)} for record in records]

    def add_days(self, rows: pd.DataFrame, known: Sequence[Record]) -> pd.DataFrame:
        """The rows with ``days``, ``alive`` and ``predicted_days``.

        Args:
            rows: one per patient, with ``p_<class>``.
            known: their records.
        """
        return rows.assign(
            days=[float(value_of(record, "survival_days")) for record in known],
            alive=[bool(record.get("alive")) for record in known],
            predicted_days=predict_days(probabilities_of(rows, self.classes.names), self.median_days),
        )

    def summarise(self, rows: pd.DataFrame, records: Sequence[Record], seed: int) -> dict[str, Any]:
        """What ``metrics.json`` says of the days.

        Args:
            rows: of :meth:`add_days`.
            records: the whole cohort, of :meth:`label`.
            seed: of the bootstrap.

        Returns:
            The classes, ``median_days``, how many are ``set_aside``, and ``measures``.
        """
        return {
            **self.classes.to_json(),
            "median_days": list(self.median_days),
            "set_aside": sum(record["label"] is None for record in records),
            "measures": summarise_survival(rows, seed, self.brats),
        }
