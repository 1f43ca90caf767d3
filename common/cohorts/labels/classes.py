"""Counts of the classes: whether every class has patients, and how many patients are left out."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from common.errors import DatasetError, Problem
from common.records import Record

logger = logging.getLogger(__name__)


def label_recorded(records: Sequence[Record], key: str, classes: Sequence[str], hint: str = "") -> list[Record]:
    """Copies of the records whose value is one of the classes, ``label`` (its place) added; the log counts the others.

    Args:
        records: the cohort.
        key: of the value, such as ``grade`` or ``resection``.
        classes: in the order of their labels.
        hint: for the message; by default that a list may have a column ``key``.

    Raises:
        DatasetError: a class has no patient.
    """
    labelled: list[Record] = [
        {**record, "label": classes.index(value)} for record in records if (value := record.get(key)) in classes
    ]
    counts = count_classes((record["label"] for record in labelled), classes)
    absent = [name for name, count in counts.items() if count == 0]
    if absent:
        without = len(records) - len(labelled)
        what = f"no patient is {' or '.join(absent)} ({tell_counts(counts)}, {without} without a {key})"
        default = f"Add patients, or pass a list of your own with a column {key} ({', '.join(classes)})."
        raise DatasetError(Problem(what, "the cohort", hint or default))
    log_left_out(records, labelled, f"no {key} is recorded")
    return labelled


def check_classes(records: Iterable[Record], names: Sequence[str], side: str = "training") -> None:
    """Check that a side of a split holds every class.

    Args:
        records: of that side, with ``label``.
        names: of the classes, by label.
        side: for the message.

    Raises:
        DatasetError: a class has no patient there; names all such classes and counts the others.
    """
    counts = count_classes((record["label"] for record in records), names)
    empty = [name for name, count in counts.items() if count == 0]
    if empty:
        what = f"no patient is {' or '.join(empty)} ({tell_counts(counts)})"
        hint = (
            "The class has fewer patients than the split needs: use fewer --folds or another --seed, or add patients."
        )
        raise DatasetError(Problem(what, f"the {side} side of the split", hint))


def count_classes(labels: Iterable[int | None], names: Sequence[str]) -> dict[str, int]:
    """Count labels.

    Args:
        labels: of patients or images.
        names: of the classes, by label.

    Returns:
        The count under the name of each class, 0 included.
    """
    counts = Counter(labels)
    return {name: counts[label] for label, name in enumerate(names)}


def tell_counts(counts: dict[str, int]) -> str:
    """``LGG 76, HGG 293``."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def log_left_out(records: Iterable[Record], kept: Iterable[Record], reason: str) -> None:
    """Log how many patients are left out of a cohort, if any.

    Args:
        records: the cohort.
        kept: those that stay in it.
        reason: why the others are left out.
    """
    everyone, staying = ({record["subject"] for record in part} for part in (records, kept))
    if everyone - staying:
        logger.info("%d of %d patients are left out: %s", len(everyone - staying), len(everyone), reason)
