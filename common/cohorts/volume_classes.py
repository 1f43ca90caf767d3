"""What a network of whole volumes predicts: the grade, or that there is no tumour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from common.cohorts.targets import GRADES, count_classes, log_left_out, tell_counts
from common.cohorts.volume_cohort import NO_GRADE
from common.errors import DatasetError, Problem
from common.records import HEALTHY, Record

VOLUME_CLASSES = (*GRADES, HEALTHY)
"""In the order of their labels."""


def volume_classes(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of a cohort's classes by label: LGG and HGG, and healthy where somebody is."""
    return VOLUME_CLASSES if any(record.get("grade") == HEALTHY for record in records) else GRADES


def volume_cohort(records: Sequence[Record]) -> list[Record]:
    """Copies of the records of everybody with a grade, ``label`` added; the log counts the others.

    Args:
        records: of :func:`~common.cohorts.read_volume_cohort`; ``label`` is the grade's place in
            :func:`volume_classes`.

    Raises:
        DatasetError: nobody has one of the classes.
    """
    names = volume_classes(records)
    labelled = [{**record, "label": names.index(record["grade"])} for record in records if record.get("grade")]
    counts = count_classes((record["label"] for record in labelled), names)
    absent = [name for name, count in counts.items() if count == 0]
    if absent:
        ungraded = len(records) - len(labelled)
        what = f"nobody is {' or '.join(absent)} ({tell_counts(counts)}, {ungraded} without a grade)"
        mend = (
            "Pass --dataset_dir <the training data of BraTS 2018 to 2020, with its HGG and LGG folders or "
            "name_mapping.csv>, or list volumes of your own with a column grade (LGG, HGG or healthy)."
        )
        raise DatasetError(Problem(what, "the cohort", mend))
    log_left_out(records, labelled, NO_GRADE)
    return labelled
