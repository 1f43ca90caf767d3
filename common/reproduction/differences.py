"""What a column gains over the next one: the leak of the paper's split, and what its recipe does.

Patients are drawn once for both columns, so that a patient whom both judge is drawn with both answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from common.metrics.intervals.bootstrap import LARGEST_BLOCK, Summary, divide, draw_cohorts, nan_mean, summarise_draws
from common.metrics.judgement import judge_cohorts, probabilities_of, truth_of
from common.metrics.patient_predictions import ways_of_counting
from common.records import HEALTHY
from common.reports.classification.subgroup import restrict
from common.reports.page import DASH
from common.reproduction.evaluation import OF_SOFT_DICE, OF_SUBGROUP, Evaluation
from common.reproduction.head_search import Evaluations
from common.reproduction.table_plan import BY_PATIENT, OURS, PUBLISHED, Cell, PaperTable
from common.tasks.published import short_name

LEAK, SPLIT, RECIPE = "leak", "split", "recipe"
LEAST_SHARED = 0.5
"""From which share of the smaller test side on the patients whom both judge are compared alone."""

Weigh = Callable[[pd.DataFrame], np.ndarray]
"""How often each row of a table is in each drawn cohort, (cohorts, rows); the first is the cohort itself."""


@dataclass(frozen=True)
class Difference:
    """What one column gains over another in a cell.

    Args:
        cell: that is compared.
        kind: ``leak``, ``split`` (where the paper's keeps patients apart, too) or ``recipe``.
        counted: what counts as one, ``samples`` or ``patients``.
        first: the value of the first column over the patients that are compared, the mean over the repeats.
        second: the value of the second.
        value: the first less the second, with the interval over patients.
        paired: how many patients are compared whom both judge; ``None`` where all are, whoever judges them.
        same_classes: whether both predict the same classes.
    """

    cell: Cell
    kind: str
    counted: str
    first: float
    second: float
    value: Summary
    paired: int | None
    same_classes: bool = True

    def __str__(self) -> str:
        if np.isnan(self.value["mean"]):
            return DASH
        mean, low, high = (f"{self.value[key]:+.{self.cell.digits}f}" for key in ("mean", "low", "high"))
        interval = "" if np.isnan(self.value["low"]) else f" ({low} to {high})"
        return f"{mean}{interval}, {'unpaired' if self.paired is None else f'{self.paired} paired'}"

    def to_json(self) -> dict[str, Any]:
        """Its numbers, with ``kind``, ``counted``, ``first``, ``second`` and ``paired``."""
        names = ("kind", "counted", "first", "second", "paired", "same_classes")
        return {**{name: getattr(self, name) for name in names}, **self.value}


def list_differences(table: PaperTable, cells: Iterable[Cell], evaluations: Evaluations) -> list[Difference]:
    """Leak and recipe of every cell that both columns have on their test sides.

    A cell that counts samples in one column and patients in the other is compared by patients.

    Args:
        table: of the cells.
        cells: to compare.
        evaluations: of all runs.
    """
    steps = {SPLIT if table.apart else LEAK: (PUBLISHED, BY_PATIENT), RECIPE: (BY_PATIENT, OURS)}

    @cache
    def comparison(model: str, kind: str) -> Comparison:
        first, second = (evaluations.get((model, column.name), ()) for column in steps[kind])
        return Comparison(first, second)

    found = (comparison(cell.model, kind).of(cell, kind) for cell in cells for kind in steps if cell.side is None)
    return [difference for difference in found if difference is not None]


class Comparison:
    """The runs of a network in two columns, repeat by repeat.

    Args:
        first: its evaluations in the first column.
        second: in the second.
    """

    def __init__(self, first: Sequence[Evaluation], second: Sequence[Evaluation]) -> None:
        others = {evaluation.repeat: evaluation for evaluation in second}
        both = [(one, others[one.repeat]) for one in first if one.repeat in others]
        self.runs = [(one, other) for one, other in both if {one.facts["side"], other.facts["side"]} == {"test"}]
        self._measured = cache(self._measure)
        if self.runs:
            self._draw()

    def of(self, cell: Cell, kind: str) -> Difference | None:
        """The difference in a cell, ``None`` where one of the columns has not measured it."""
        unit = "patients" if cell.unit == "split" else cell.unit
        values = [both for place, both in enumerate(self._measured(unit)) if cell.repeat in (None, self._repeat(place))]
        if not values or not all(cell.measure in part for both in values for part in both):
            return None
        first, second = (np.stack([both[place][cell.measure] for both in values], axis=-1) for place in (0, 1))
        estimate, *drawn = nan_mean(first - second)
        value = summarise_draws(float(estimate), np.array(drawn), self.patients)
        means = [float(nan_mean(part)[0]) for part in (first, second)]
        same = all(one.facts.get("classes") == other.facts.get("classes") for one, other in self.runs)
        paired = self.patients if self.is_paired else None
        return Difference(cell, kind, unit, means[0], means[1], value, paired, same)

    def _repeat(self, place: int) -> int:
        return self.runs[place][0].repeat

    def _draw(self) -> None:
        """Draw the patients of all repeats, and find out whether both columns judge the same ones."""
        cases = [tuple(_cases(one.patients) for one in both) for both in self.runs]
        self.shared = [first.keys() & second.keys() for first, second in cases]
        smaller = sum(min(len(first), len(second)) for first, second in cases)
        self.is_paired = sum(map(len, self.shared)) >= LEAST_SHARED * smaller
        self.patient_of = patients_of([one for both in self.runs for one in both])
        names = sorted(set(self.patient_of.values()))
        self.place_of = {name: place for place, name in enumerate(names)}
        self.counts = np.vstack([np.ones(len(names)), draw_cohorts(names)])
        compared = set().union(*self.shared) if self.is_paired else self.patient_of.keys()
        self.patients = len({self.patient_of[case] for case in compared})

    def _measure(self, unit: str) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
        """All measures of both columns, for each repeat; (cohorts,) under their names."""
        return [
            (self._measure_one(one, unit, shared), self._measure_one(other, unit, shared))
            for (one, other), shared in zip(self.runs, self.shared if self.runs else (), strict=True)
        ]

    def _measure_one(self, one: Evaluation, unit: str, shared: Iterable[str]) -> dict[str, np.ndarray]:
        """:func:`measure_all`, with as many drawn cohorts at a time as fit into a block."""
        rows = len(one.samples if unit == "samples" and "soft_dice" not in one.facts else one.patients)
        blocks = np.array_split(self.counts, -(-len(self.counts) * max(rows, 1) // LARGEST_BLOCK))
        found = [measure_all(one, unit, self._weigh(shared, block)) for block in blocks]
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    def _weigh(self, shared: Iterable[str], counts: np.ndarray) -> Weigh:
        kept = set(shared)

        def weigh(rows: pd.DataFrame) -> np.ndarray:
            cases = rows["scan" if "scan" in rows else "subject"].astype(str)
            places = [self.place_of[self.patient_of[case]] for case in cases]
            used = cases.isin(kept).to_numpy() if self.is_paired else np.ones(len(rows), dtype=bool)
            return counts[:, places] * used

        return weigh


def patients_of(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """Whose each case of some evaluations is.

    On P2's split an image is a subject. Its patient is then the group of its copies: as a table with scans has it, else
    as ``copies.csv`` does.

    Args:
        evaluations: on one data set.

    Returns:
        The patient of each scan, and of each subject without scans.
    """
    known: dict[str, str] = {}
    alone: dict[str, str] = {}
    group_of: dict[str, str] = {}
    for one in evaluations:
        found = known if "scan" in one.patients else alone
        found |= _cases(one.patients)
        group_of |= one.copies
    named = {group_of[case]: patient for case, patient in known.items() if case in group_of}
    grouped = {case: named.get(group, group) for case, group in group_of.items() if case in alone}
    return {**alone, **grouped, **known}


def measure_all(evaluation: Evaluation, unit: str, weigh: Weigh) -> dict[str, np.ndarray]:
    """Every measure of :meth:`Evaluation.measure`, but for the loss and what the training took, of all drawn cohorts.

    Args:
        evaluation: of a run.
        unit: what counts as one, ``samples`` or ``patients``.
        weigh: how often a row is in each cohort.

    Returns:
        The values, (cohorts,), under the measures' names.
    """
    if "soft_dice" in evaluation.facts:
        rows = evaluation.patients
        scans = rows.groupby("subject")["subject"].transform("size").to_numpy()
        return {name: _mean(weigh(rows) / scans, rows[name]) for name in rows if name.startswith(OF_SOFT_DICE)}
    classes = evaluation.classes
    rows = evaluation.samples if unit == "samples" else evaluation.patients
    found = _judge(rows, classes, weigh)
    if evaluation.facts.get("subgroup"):
        tumours = [name for name in classes if name != HEALTHY]
        alone = _judge(restrict(rows, classes, tumours), tumours, weigh)
        found |= {f"{OF_SUBGROUP}{name}": values for name, values in alone.items()}
    if evaluation.has_samples:
        ways = ways_of_counting(evaluation.samples, evaluation.patients, classes)
        for way, counted in ways.items():
            right, counts = (counted["truth"] == counted["answer"]).astype(float), weigh(counted)
            found[f"{way}: accuracy"] = _mean(counts, right)
            for name in classes:
                of_class = (counted["truth"] == name).to_numpy()
                found[f"{way}: {short_name(name)}"] = _mean(counts * of_class, right)
    return found


def _judge(rows: pd.DataFrame, classes: Sequence[str], weigh: Weigh) -> dict[str, np.ndarray]:
    names = [short_name(name) for name in classes]
    return judge_cohorts(truth_of(rows, classes), probabilities_of(rows, classes), names, weigh(rows))


def _mean(counts: np.ndarray, values: pd.Series) -> np.ndarray:
    """The mean of each cohort over the rows that have a value."""
    known = values.notna().to_numpy()
    return divide(counts[:, known] @ values[known].to_numpy(dtype=float), counts[:, known].sum(axis=1))


def _cases(rows: pd.DataFrame) -> dict[str, str]:
    """Whose each case is: of every scan, or of every subject where there are no scans."""
    names = rows["scan" if "scan" in rows else "subject"].astype(str)
    return dict(zip(names, rows["subject"].astype(str), strict=True))
