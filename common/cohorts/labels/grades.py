"""The grade as a class; for networks on whole volumes also the class without a tumour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.cohorts.labels.classes import count_classes, log_left_out, tell_counts
from common.errors import DatasetError, Problem
from common.records import HEALTHY, Record
from common.tasks.grade import TASK as GRADE
from common.tasks.volume_grade import TASK as VOLUME_GRADE

NO_GRADE = "no grade is recorded"
GRADES = GRADE.classes
"""The classes of the grade; the index of a grade is its label."""

VOLUME_CLASSES = VOLUME_GRADE.classes
"""The classes of networks on whole volumes, in the order of their labels."""


def grade_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records of patients with a grade, ``label`` 0 (LGG) or 1 (HGG) added; the log counts the others.

    Healthy people are among the others.

    Raises:
        DatasetError: no patient has a grade, or all have the same.
    """
    labelled: list[Record] = [
        {**record, "label": GRADES.index(grade)} for record in records if (grade := record.get("grade")) in GRADES
    ]
    counts = Counter(record["grade"] for record in labelled)
    if not labelled:
        hint = (
            "Pass the training data of BraTS 2018 to 2020 with its HGG and LGG folders or name_mapping.csv, or a list "
            "of your own with a column grade."
        )
        raise DatasetError(Problem(f"none of {len(records)} patients has a grade", "the cohort", hint))
    if len(counts) < len(GRADES):
        what = f"all {len(labelled)} patients with a grade are {labelled[0]['grade']}"
        raise DatasetError(Problem(what, "the cohort", f"Add patients of the other grade ({' and '.join(GRADES)})."))
    log_left_out(records, labelled, NO_GRADE)
    return labelled


def volume_classes(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of a cohort's classes by label: LGG and HGG, and healthy if any record is."""
    return VOLUME_CLASSES if any(record.get("grade") == HEALTHY for record in records) else GRADES


def volume_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records with a grade, ``label`` added; the log counts the others.

    Args:
        records: of :func:`~common.cohorts.read_volume_cohort`; ``label`` is the grade's place in
            :func:`volume_classes`.

    Raises:
        DatasetError: a class has no record.
    """
    names = volume_classes(records)
    labelled: list[Record] = [
        {**record, "label": names.index(grade)} for record in records if (grade := record.get("grade"))
    ]
    counts = count_classes((record["label"] for record in labelled), names)
    absent = [name for name, count in counts.items() if count == 0]
    if absent:
        ungraded = len(records) - len(labelled)
        what = f"no patient is {' or '.join(absent)} ({tell_counts(counts)}, {ungraded} without a grade)"
        hint = (
            "Pass --dataset_dir <the training data of BraTS 2018 to 2020, with its HGG and LGG folders or "
            "name_mapping.csv>, or list volumes of your own with a column grade (LGG, HGG or healthy)."
        )
        raise DatasetError(Problem(what, "the cohort", hint))
    log_left_out(records, labelled, NO_GRADE)
    return labelled
