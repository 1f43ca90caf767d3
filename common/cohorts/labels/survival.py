"""Patients whose survival is recorded, their classes, and the predicted days of a class."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from common.cohorts.labels.classes import check_classes, log_left_out
from common.cohorts.labels.survival_classes import SurvivalClasses, day_quantiles
from common.errors import DatasetError, Problem
from common.knobs import as_bool
from common.records import Record, value_of

STRATA = 3

logger = logging.getLogger(__name__)


def survival_cohort(records: Sequence[Record], censored_as_dead: bool = False) -> list[Record]:
    """Copies of the records of patients with a survival time, dead or censored; the log counts the others.

    ``survival_stratum``, 0 to 2, is the tertile of the time in the whole cohort: for stratified splits, not as a
    target.

    Args:
        records: the cohort.
        censored_as_dead: take the last contact with a living patient for the day of death, as P3 did (its 36,580
            slices are 236 volumes of 155, and one of the 236 patients was alive).

    Raises:
        DatasetError: no patient has a survival time.
    """
    known = [record.copy() for record in records if record.get("survival_days") is not None]
    if not known:
        hint = (
            "Pass the training data of BraTS 2018 to 2020 with survival_data.csv or survival_info.csv, or a list of "
            "your own with a column survival_days."
        )
        raise DatasetError(Problem(f"none of {len(records)} patients has a survival time", "the cohort", hint))
    log_left_out(records, known, "no survival time is recorded")
    censored = [record for record in known if record.get("alive")]
    if as_bool(censored_as_dead, "censored_as_dead") and censored:
        logger.info("censored patients who count as dead at the last contact: %d", len(censored))
        for record in censored:
            record["alive"] = False
    bounds = day_quantiles([_days(record) for record in known], STRATA)
    return [{**record, "survival_stratum": bisect_right(bounds, _days(record))} for record in known]


def label_survival(records: Sequence[Record], survival_classes: SurvivalClasses) -> list[Record]:
    """Copies of the records whose class is known, with their ``label``; the log counts the others, all censored."""
    labels = [survival_classes.label(record) for record in records]
    labelled: list[Record] = [
        {**record, "label": label} for record, label in zip(records, labels, strict=True) if label is not None
    ]
    limit = survival_classes.thresholds[-1]
    reason = f"they were alive at a last contact before day {limit:g}, so their class is not known"
    log_left_out(records, labelled, reason)
    return labelled


def median_days(
    train_labelled: Sequence[Record], survival_classes: SurvivalClasses, learnt: Mapping[str, Any] | None = None
) -> tuple[float, ...]:
    """The median survival of each class: the predicted days of its patients.

    Taken over the training patients who died; over the last contacts where a class has none of them.

    Args:
        train_labelled: the training side.
        survival_classes: of its labels.
        learnt: provenance of the weights to evaluate; their ``median_days`` are used.

    Returns:
        Days by label.

    Raises:
        DatasetError: a class has no training patient.
    """
    if learnt and "median_days" in learnt:
        return tuple(learnt["median_days"])
    check_classes(train_labelled, survival_classes.names)
    medians = []
    for label in range(len(survival_classes.names)):
        members = [record for record in train_labelled if record["label"] == label]
        dead = [record for record in members if not record.get("alive")]
        medians.append(float(median(_days(record) for record in dead or members)))
    return tuple(medians)


def _days(record: Record) -> float:
    """The survival of a patient for whom it is recorded."""
    return value_of(record, "survival_days")
