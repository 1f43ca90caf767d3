"""The target of P2: a tumour in the slice, or none."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from common.cohorts.labels.classes import count_classes, tell_counts
from common.errors import DatasetError, Problem
from common.records import Record, value_of
from common.tasks.tumour import TASK as TUMOUR

TUMOUR_CLASSES = TUMOUR.classes
"""The classes in the order of their labels."""

logger = logging.getLogger(__name__)


def tumour_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records with ``tumour`` (none or tumour); the log says which class counts as which.

    Args:
        records: of :func:`~common.cohorts.read_cohort`, with ``label`` and ``class_name``.

    Raises:
        DatasetError: the data set has not two classes.
    """
    classes = {_label(record): record["class_name"] for record in sorted(records, key=_label)}
    if list(classes) != list(range(len(TUMOUR_CLASSES))):
        what = (
            f"it has the classes {', '.join(map(str, classes.values()))}, and this network needs two, none and tumour"
        )
        hint = "Give a folder (or a list) with two classes, the images without a tumour in one called no."
        raise DatasetError(Problem(what, "the cohort", hint))
    counts = count_classes((record["label"] for record in records), TUMOUR_CLASSES)
    meaning = ", ".join(f"{name} is {TUMOUR_CLASSES[label]}" for label, name in classes.items())
    logger.info("%s: %s", meaning, tell_counts(counts))
    return [{**record, "tumour": TUMOUR_CLASSES[_label(record)]} for record in records]


def _label(record: Record) -> int:
    return value_of(record, "label")
