"""What the folds have left: their measures, predictions and splits, which must be those of one cross-validation."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd

from common.errors import OutputError, Problem, SplitLeakageError
from common.formats.spreadsheets import read_frame
from common.names import name_some
from common.splits.manifest import SplitManifest, load_manifest
from common.splits.resolve import FILE_NAME
from common.tasks.published import short_name


@dataclass(frozen=True)
class Fold:
    """An evaluated fold.

    Args:
        number: from 0.
        folder: of its run.
        facts: its ``metrics.json``.
        rows: its ``predictions.csv``, one row per patient or scan; classes go by their short names, since tertiles
            of survival are other days in every fold.
        split: who was on which side.
    """

    number: int
    folder: Path
    facts: Mapping[str, Any]
    rows: pd.DataFrame
    split: SplitManifest

    @property
    def classes(self) -> tuple[str, ...]:
        """The short names of the classes, in the order of the labels; none of a segmentation."""
        return tuple(map(short_name, self.facts.get("classes", ())))

    @property
    def test_to_train(self) -> float:
        """How many are tested for each one that is trained on."""
        return len(self.split.sides["test"]) / max(len(self.split.sides["train"]), 1)


def read_fold(folder: Path, number: int) -> Fold:
    """Read what the evaluation of a fold has written."""
    facts = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    rows = _with_short_names(read_frame(folder / "predictions.csv"), facts.get("classes", ()))
    return Fold(number, folder, facts, rows, load_manifest(folder / FILE_NAME))


def check_together(folds: Sequence[Fold], each_once: bool) -> None:
    """Refuse folds that are not of one cross-validation.

    Args:
        folds: that are done.
        each_once: whether no patient may be tested in two of them.

    Raises:
        OutputError: the data set has changed between two folds, or a fold has no prediction for somebody whom it tests.
        SplitLeakageError: somebody is tested in two folds.
    """
    problems = [problem for fold in folds if (problem := _unjudged(fold))]
    cohorts = Counter(fold.split.cohort_hash for fold in folds)
    for fold in folds if len(cohorts) > 1 else ():
        if fold.split.cohort_hash != cohorts.most_common(1)[0][0]:
            what = "it was split from other patients than the other folds"
            problems.append(Problem(what, fold.folder, "Delete this folder, and give the command again."))
    if problems:
        raise OutputError(problems)
    counts = Counter(subject for fold in folds for subject in fold.split.subjects("test"))
    twice = [subject for subject, count in counts.items() if count > 1]
    if each_once and twice:
        where = ", ".join(str(fold.folder) for fold in folds if set(twice) & set(fold.split.subjects("test")))
        what = f"patients are tested in more than one fold: {name_some(twice)}"
        raise SplitLeakageError(Problem(what, where, "Delete these folders, and give the command again."))


def pool_rows(folds: Sequence[Fold]) -> pd.DataFrame:
    """The predictions of all folds, each with its ``fold``, in the order of the patients.

    A column that one of them lacks, because an earlier version made it, is left out; but for ``scan``, which a fold
    lacks whose patients have one scan each, named as the patient.
    """
    tables = [fold.rows.assign(fold=fold.number) for fold in folds]
    if any("scan" in rows for rows in tables):
        tables = [rows if "scan" in rows else rows.assign(scan=rows["subject"]) for rows in tables]
    table = pd.concat(tables, ignore_index=True, join="inner")
    names = [name for name in ("subject", "scan") if name in table]
    others = [name for name in table if name not in (*names, "fold")]
    return table.sort_values([*names, "fold"], ignore_index=True)[[*names, "fold", *others]]


def mean_test_to_train(folds: Sequence[Fold]) -> float:
    """The mean over the folds of :attr:`Fold.test_to_train`."""
    return mean(fold.test_to_train for fold in folds)


def _unjudged(fold: Fold) -> Problem | None:
    missing = set(fold.split.subjects("test")) - set(fold.rows["subject"])
    if not missing:
        return None
    what = f"it has no prediction for patients whom it tests: {name_some(missing)}"
    return Problem(what, fold.folder, "Delete this folder, and give the command again.")


def _with_short_names(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    short = {name: short_name(name) for name in classes}
    values = {name: rows[name].replace(short) for name in ("truth", "predicted", "voted") if name in rows}
    return rows.assign(**values).rename(columns={f"p_{name}": f"p_{known}" for name, known in short.items()})
