"""The shortcut probe: what predicts the label without the tumour?

A network can learn such confounders instead of the disease: no low-grade patient of BraTS has an age, all healthy
brains come from one scanner. A patient split does not prevent it, so a small classifier looks for them, in the
traits of :mod:`common.shortcuts.traits` and by the test of :mod:`common.shortcuts.classifier`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from common.records import HEALTHY, Record, value_of
from common.shortcuts.answers import Answer, ShortcutReport
from common.shortcuts.classifier import probe
from common.shortcuts.questions import Question, list_questions
from common.shortcuts.traits import OF_PATIENTS, find_traits
from common.shortcuts.warning_words import warn

SHUFFLES = 400
LEVEL = 0.01
"""Of a false alarm, over all questions of a cohort."""

ALIKE = "no trait differs within the cohort."

logger = logging.getLogger(__name__)


def probe_shortcuts(
    records: Sequence[Record],
    target: str = "grade",
    seed: int = 0,
    headers: bool = True,
    shuffles: int | None = None,
    voxels: bool = False,
) -> ShortcutReport:
    """Look for what predicts the label without the tumour.

    A class with fewer than five patients is left out and named, where two others remain.

    Args:
        records: the cohort; only the first scan of each patient is used, and of copies of an image (``group``) the
            first of each class: they share their size, and would stand on both sides of the probe's own folds.
        target: the label's key; a record without it is left out.
        seed: of the folds and of the shuffles.
        headers: read the images' headers; ``False`` looks at the records alone.
        shuffles: how often the labels are shuffled for each question, at most; :data:`SHUFFLES` by default.
        voxels: measure the prepared volumes (``cached``) as well; else no voxel is read.

    Returns:
        The patients per class, and an answer to each question: is there a trait that predicts these classes?

    Raises:
        DatasetError: an image's header cannot be read.
    """
    recorded = [record for record in records if not pd.isna(record.get(target))]
    patients = {_unit_of(record, target): record for record in reversed(recorded)}
    labelled = list(reversed(patients.values()))
    labels = [str(value_of(record, target)) for record in labelled]
    questions = list_questions(labels, target)
    level = LEVEL / len(questions)
    answers = []
    for question in questions:
        note, classes = question.why_not(), [question.classes.get(label) for label in labels]
        takes_part = [name in question.judged for name in classes]
        chosen = [record for record, is_in in zip(labelled, takes_part, strict=True) if is_in]
        traits = {} if note else _traits(question, chosen, target, headers, voxels)
        own = _own_source(labelled, classes) if question.about_health else ""
        if note or not traits:
            answers.append(Answer(question, note or ALIKE, None, warn(question, None, own)))
            continue
        judged = np.array([name for name in classes if name in question.judged])
        found = probe(traits, judged, seed, SHUFFLES if shuffles is None else shuffles, level)
        answers.append(Answer(question, "", found, warn(question, found, own)))
    return ShortcutReport(target, dict(sorted(Counter(labels).items())), tuple(answers))


def probe_sources(
    cases: Sequence[Record], target: str = "grade", seed: int = 0, shuffles: int | None = None
) -> ShortcutReport:
    """:func:`probe_shortcuts` of prepared volumes, voxels included; the log says what it found.

    Args:
        cases: records with ``cached``.
        target: the label's key.
        seed: of the folds and of the shuffles.
        shuffles: how often the labels are shuffled for each question, at most; :data:`SHUFFLES` by default.

    Returns:
        As :func:`probe_shortcuts`.

    Raises:
        DatasetError: an image's header cannot be read.
    """
    report = probe_shortcuts(cases, target, seed, shuffles=shuffles, voxels=True)
    logger.log(logging.WARNING if report.warnings else logging.INFO, "%s", report.text())
    return report


def _unit_of(record: Record, target: str) -> tuple[str, str]:
    return str(record.get("group") or record["subject"]), str(value_of(record, target)) if record.get("group") else ""


def _traits(
    question: Question, records: Sequence[Record], target: str, headers: bool, voxels: bool
) -> dict[str, pd.DataFrame]:
    traits = find_traits(records, target, headers, voxels)
    return {name: table for name, table in traits.items() if not (question.about_health and name in OF_PATIENTS)}


def _own_source(records: Sequence[Record], classes: Sequence[str | None]) -> str:
    """The data set that holds all healthy people and no patient; empty where there is none."""
    sources: dict[bool, set[str]] = {True: set(), False: set()}
    for record, name in zip(records, classes, strict=True):
        sources[name == HEALTHY].add(str(record.get("source")))
    healthy, others = sources[True], sources[False]
    return next(iter(healthy)) if len(healthy) == 1 and not healthy & others else ""
