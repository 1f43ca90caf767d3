"""Survival in days beside its classes: predicted days, and the measures of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.cohorts.labels.survival_classes import SurvivalClasses
from common.knobs import as_bool
from common.metrics.intervals.left_out import summarise_right
from common.metrics.judgement import probabilities_of
from common.metrics.survival_measures import (
    censoring_weights,
    class_shares,
    predict_days,
    summarise_survival,
)
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
            The classes, ``median_days``, how many of the cohort (``patients``) are ``set_aside``, and ``measures``.
            Where some are set aside, ``shares`` of the classes among those judged, and ``shares_estimated``
            by Kaplan and Meier among all; and the accuracy weighted for censoring.
        """
        labels = [record["label"] for record in records]
        summary = {
            **self.classes.to_json(),
            "median_days": list(self.median_days),
            "patients": len(records),
            "set_aside": labels.count(None),
            "measures": summarise_survival(rows, seed, self.brats),
        }
        return summary | self._correct(rows, records, summary["measures"]) if None in labels else summary

    def _correct(self, rows: pd.DataFrame, records: Sequence[Record], measures: dict[str, Any]) -> dict[str, Any]:
        """What censoring hides: the classes of those who are set aside."""
        days = np.array([value_of(record, "survival_days") for record in records], dtype=float)
        died = np.array([not record.get("alive") for record in records])
        thresholds = self.classes.thresholds
        known = [record["label"] for record in records if record["label"] is not None]
        truth = np.searchsorted(thresholds, rows["days"], side="right")
        is_right = truth == probabilities_of(rows, self.classes.names).argmax(axis=1)
        weights = censoring_weights(rows["days"].to_numpy(dtype=float), days, died, thresholds[-1])
        weighted = summarise_right(list(rows["subject"]), is_right, weights)
        return {
            "shares": (np.bincount(known, minlength=len(thresholds) + 1) / max(len(known), 1)).tolist(),
            "shares_estimated": class_shares(days, died, thresholds).tolist(),
            "measures": {"weighted_accuracy": weighted, **measures},
        }
