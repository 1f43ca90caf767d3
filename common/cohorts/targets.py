"""What the classifiers predict: the grade as a class, and whether every class can be learned."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from common.errors import DatasetError, Problem
from common.records import Record

GRADES = ("LGG", "HGG")
"""The classes of the grade; a grade's place is its label."""

logger = logging.getLogger(__name__)


def grade_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records of patients with a grade, ``label`` 0 (LGG) or 1 (HGG) added; the log counts the others.

    Healthy people are among the others.

    Raises:
        DatasetError: no patient has a grade, or all have the same.
    """
    graded = [record for record in records if record.get("grade") in GRADES]
    labelled = [{**record, "label": GRADES.index(record["grade"])} for record in graded]
    counts = Counter(record["grade"] for record in labelled)
    if not labelled:
        mend = (
            "Pass the training data of BraTS 2018 to 2020 with its HGG and LGG folders or name_mapping.csv, or a list "
            "of your own with a column grade."
        )
        raise DatasetError(Problem(f"none of {len(records)} patients has a grade", "the cohort", mend))
    if len(counts) < len(GRADES):
        what = f"all {len(labelled)} patients with a grade are {labelled[0]['grade']}"
        raise DatasetError(Problem(what, "the cohort", f"Add patients of the other grade ({' and '.join(GRADES)})."))
    log_left_out(records, labelled, "no grade is recorded")
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
        mend = (
            "The class has fewer patients than the split needs: use fewer --folds or another --seed, or add patients."
        )
        raise DatasetError(Problem(what, f"the {side} side of the split", mend))


def count_classes(labels: Iterable[int], names: Sequence[str]) -> dict[str, int]:
    """How many of ``labels`` each class has, classes without any included."""
    counts = Counter(labels)
    return {name: counts[label] for label, name in enumerate(names)}


def tell_counts(counts: dict[str, int]) -> str:
    """``LGG 76, HGG 293``."""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def log_left_out(records: Iterable[Record], kept: Iterable[Record], reason: str) -> None:
    """Tell how many patients a cohort goes on without, if any."""
    everyone, staying = ({record["subject"] for record in part} for part in (records, kept))
    if everyone - staying:
        logger.info("%d of %d patients are left out: %s", len(everyone - staying), len(everyone), reason)
