"""The grade as a class; for networks on whole volumes also the class without a tumour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.cohorts.labels.classes import label_recorded
from common.records import HEALTHY, Record
from common.tasks.grade import TASK as GRADE
from common.tasks.volume_grade import TASK as VOLUME_GRADE

GRADES = GRADE.classes
"""The classes of the grade; the index of a grade is its label."""

VOLUME_CLASSES = VOLUME_GRADE.classes
"""The classes of networks on whole volumes, in the order of their labels."""

WITH_GRADES = "the training data of BraTS 2018 to 2020, with its HGG and LGG folders or name_mapping.csv"


def grade_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records of patients with a grade, ``label`` 0 (LGG) or 1 (HGG) added; the log counts the others.

    Healthy people are among the others.

    Raises:
        DatasetError: a grade has no patient.
    """
    hint = f"Pass {WITH_GRADES}, or a list of your own with a column grade (LGG or HGG)."
    return label_recorded(records, "grade", GRADES, hint)


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
    own = "list volumes of your own with a column grade (LGG, HGG or healthy)"
    return label_recorded(records, "grade", volume_classes(records), f"Pass --dataset_dir <{WITH_GRADES}>, or {own}.")
