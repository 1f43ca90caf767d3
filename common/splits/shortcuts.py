"""The shortcut probe: what tells the label without the tumour?

A network finds such a thing sooner than a radiologist's sign: that no low-grade patient of BraTS has an age, that all
healthy brains come from one scanner. A patient split does not stop it, so a small classifier looks for it, in the
traces of :mod:`common.splits.traces` and by the test of :mod:`common.splits.probe`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from common.cohorts.records import HEALTHY, Record
from common.splits.probe import Probed, probe
from common.splits.questions import Question, ask, tell_counts
from common.splits.traces import ADVICE, DATA_SET, OF_PATIENTS, find_traces
from common.splits.voxel_traces import VOXEL_TRACES

SHUFFLES = 200
LEVEL = 0.01
"""Of a false alarm, all questions of a cohort together."""

ALIKE = "all patients are alike in everything that was looked at."
OF_HEALTHY = "A network can learn the source and never look for a tumour: believe what it tells of tumours alone."

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What the probe found for one question.

    Args:
        question: that was asked.
        note: why there was nothing to probe, else empty.
        found: how well the traces tell its classes.
        warnings: what to tell the person; empty where nothing beats chance.
    """

    question: Question
    note: str = ""
    found: Probed | None = None
    warnings: tuple[str, ...] = ()

    def text(self) -> str:
        """The answer in a few lines."""
        name, counts = self.question.name, self.question.judged
        if self.note:
            return f"Shortcuts to {name}: {self.note}"
        told = [f"! {warning}" for warning in self.warnings]
        told = told or ["nothing that was looked at tells it better than shuffled labels do."]
        if self.question.too_small:
            told.append(f"Too few to be judged, and left out: {tell_counts(self.question.too_small)}.")
        return "\n  ".join([f"Shortcuts to {name} ({tell_counts(counts)}):", *told])

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        return {
            "question": self.question.name,
            "counts": dict(self.question.counts),
            "too_small": self.question.too_small,
            "note": self.note,
            **(asdict(self.found) if self.found else {}),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True)
class ShortcutReport:
    """What the probe found.

    Args:
        target: the label's key.
        counts: patients per class; patients without the label are left out.
        answers: one a question; see :func:`~common.splits.questions.ask`.
    """

    target: str
    counts: Mapping[str, int]
    answers: tuple[Answer, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of all questions."""
        return tuple(warning for answer in self.answers for warning in answer.warnings)

    @property
    def told_by_source(self) -> bool:
        """Whether healthy brains are told from tumours without a look at them."""
        return any(answer.warnings for answer in self.answers if answer.question.about_health)

    def text(self) -> str:
        """The report in a few lines."""
        return "\n".join(answer.text() for answer in self.answers)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers."""
        return {
            "target": self.target,
            "counts": dict(self.counts),
            "questions": [answer.to_json() for answer in self.answers],
            "told_by_source": self.told_by_source,
            "warnings": list(self.warnings),
        }


def probe_shortcuts(
    records: Sequence[Record],
    target: str = "grade",
    seed: int = 0,
    headers: bool = True,
    shuffles: int = SHUFFLES,
    voxels: bool = False,
) -> ShortcutReport:
    """Look for what tells the label without the tumour.

    A class with fewer than five patients is left out and named, where two others remain.

    Args:
        records: the cohort; of a patient's scans the first is looked at.
        target: the label's key; a record without it is left out.
        seed: of the folds and of the shuffles.
        headers: read the images' headers; ``False`` looks at the records alone.
        shuffles: how often the labels are shuffled for each question.
        voxels: measure the prepared volumes (``cached``) as well; else no voxel is read.

    Raises:
        DatasetError: an image's header cannot be read.
    """
    patients = {record["subject"]: record for record in reversed(records)}
    labelled = [record for record in reversed(patients.values()) if not pd.isna(record.get(target))]
    labels = [str(record[target]) for record in labelled]
    questions = ask(labels, target)
    level = LEVEL / len(questions)
    answers = []
    for question in questions:
        note, classes = question.why_not(), [question.classes.get(label) for label in labels]
        takes_part = [name in question.judged for name in classes]
        chosen = [record for record, is_in in zip(labelled, takes_part, strict=True) if is_in]
        traces = {} if note else _traces(question, chosen, target, headers, voxels)
        own = _own_source(labelled, classes) if question.about_health else ""
        if note or not traces:
            answers.append(Answer(question, note or ALIKE, None, _warn(question, None, own)))
            continue
        judged = np.array([name for name in classes if name in question.judged])
        found = probe(traces, judged, seed, shuffles, level)
        answers.append(Answer(question, "", found, _warn(question, found, own)))
    return ShortcutReport(target, dict(sorted(Counter(labels).items())), tuple(answers))


def probe_sources(
    cases: Sequence[Record], target: str = "grade", seed: int = 0, shuffles: int = SHUFFLES
) -> ShortcutReport:
    """:func:`probe_shortcuts` of prepared volumes, voxels included, told in the log.

    Args:
        cases: records with ``cached``.
        target: the label's key.
        seed: of the folds and of the shuffles.
        shuffles: how often the labels are shuffled for each question.

    Raises:
        DatasetError: an image's header cannot be read.
    """
    report = probe_shortcuts(cases, target, seed, shuffles=shuffles, voxels=True)
    logger.log(logging.WARNING if report.warnings else logging.INFO, "%s", report.text())
    return report


def _traces(
    question: Question, records: Sequence[Record], target: str, headers: bool, voxels: bool
) -> dict[str, pd.DataFrame]:
    traces = find_traces(records, target, headers, voxels)
    return {name: table for name, table in traces.items() if not (question.about_health and name in OF_PATIENTS)}


def _warn(question: Question, found: Probed | None, own: str) -> tuple[str, ...]:
    """What to tell the person; ``own`` is the data set that healthy brains have to themselves, if any."""
    against = f"shuffled labels rarely pass {found.chance:.2f}" if found else ""
    if own:
        return (f"{HEALTHY} comes from one data set only ({own}){_with(found, against)}. {_of_healthy(found)}",)
    if found is None or not found.beats_chance:
        return ()
    if not found.telling:
        return (
            f"What is known without the tumour tells {question.name} when taken together: AUC {found.auc:.2f}, "
            f"{against}. Compare every result with this one.",
        )
    if question.about_health:
        listed, verb = _list(list(found.telling))
        return (
            f"{listed[0].upper()}{listed[1:]} {verb} {question.name}: {_reach(found, against)}. {_of_healthy(found)}",
        )
    return tuple(
        f"{name[0].upper()}{name[1:]} tells {question.name}: AUC {auc:.2f}, {against}. {ADVICE[name]}"
        for name, auc in found.telling.items()
    )


def _with(found: Probed | None, against: str) -> str:
    """By what else a source is told."""
    others = [name for name in found.telling if name != DATA_SET] if found else []
    if not found or not others:
        return ""
    return ", and {} {} it: {}".format(*_list(others), _reach(found, against))


def _of_healthy(found: Probed | None) -> str:
    """What follows from it; what a prepared volume still shows is what the network can learn from."""
    seen = [name for name in found.telling if name in VOXEL_TRACES] if found else []
    return f"{f'Prepared volumes still show it ({_list(seen)[0]}). ' if seen else ''}{OF_HEALTHY}"


def _list(names: Sequence[str]) -> tuple[str, str]:
    """``the shape, the noise and the sharpness``, and the verb."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))), "tells" if len(names) == 1 else "tell"


def _reach(found: Probed, against: str) -> str:
    areas = sorted(f"{auc:.2f}" for auc in found.telling.values())
    return f"AUC {' to '.join(dict.fromkeys((areas[0], areas[-1])))}, {against}"


def _own_source(records: Sequence[Record], classes: Sequence[str | None]) -> str:
    """The data set that holds all who are healthy and nobody else; empty where there is none."""
    sources: dict[bool, set[str]] = {True: set(), False: set()}
    for record, name in zip(records, classes, strict=True):
        sources[name == HEALTHY].add(str(record.get("source")))
    healthy, others = sources[True], sources[False]
    return next(iter(healthy)) if len(healthy) == 1 and not healthy & others else ""
