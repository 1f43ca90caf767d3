"""A nested choice of knobs: made anew for each fold, by patients whom that fold does not test.

The candidates of a fold are trained on its own split and judged on its validation side, and with more inner folds on
the folds that neither train nor test them in turn. The best one is then judged once on the test side.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import mean

from common.crossvalidation.options import Options
from common.crossvalidation.plan import WEIGHTS, FoldRun, plan_evaluation, plan_training
from common.errors import OutputError, Problem
from common.files import write_json
from common.runs.processes import is_done
from common.runs.steps import Run

SPLIT = "split.json"


@dataclass(frozen=True)
class CandidateRun(Run):
    """A candidate that is trained and judged without the test side of a fold.

    Args:
        name: as of :class:`Run`, like the next two.
        folder: likewise.
        steps: likewise.
        fold: whose test side it does not see.
        inner: which inner fold validates it, from 0: the one that validates in the fold's own split.
        knobs: of the candidate.
    """

    fold: int
    inner: int
    knobs: Mapping[str, str]


@dataclass(frozen=True)
class Choice:
    """What was chosen for a fold.

    Args:
        fold: which one.
        scores: the key measure of each candidate, the mean over the inner folds, in the order of the candidates.
        candidates: their knobs.
    """

    fold: int
    scores: Sequence[float]
    candidates: Sequence[Mapping[str, str]]

    @property
    def best(self) -> int:
        """The place of the highest score; of equal ones the first."""
        known = [-math.inf if math.isnan(score) else score for score in self.scores]
        return known.index(max(known))

    @property
    def chosen(self) -> Mapping[str, str]:
        """The knobs of the best candidate."""
        return self.candidates[self.best]


def candidates_of(options: Options) -> list[dict[str, str]]:
    """Every combination of the values that are tried."""
    return [dict(zip(options.search, values, strict=True)) for values in product(*options.search.values())]


def plan_candidates(options: Options, inner: int = 0) -> list[CandidateRun]:
    """The runs of all candidates in all folds.

    Args:
        options: with what is tried.
        inner: which inner fold validates them. From 1 on, its split must be written: see :func:`write_inner_splits`.
    """
    return [
        _plan_candidate(options, fold, inner, place, knobs)
        for fold in range(options.folds)
        for place, knobs in enumerate(candidates_of(options))
    ]


def write_inner_splits(options: Options, inner: int) -> None:
    """Write the split of an inner fold for every fold: the same test side, and another fold validates.

    Raises:
        OutputError: a fold has no split yet, since none of its candidates was trained.
    """
    paths = [_folder_of(options, fold, 0, 0) / SPLIT for fold in range(options.folds)]
    absent = [path for path in paths if not path.is_file()]
    if absent:
        hint = "Look at the log beside it, mend what is wrong, and give the command again."
        raise OutputError(
            [Problem("this fold was not split, since its first candidate failed", path, hint) for path in absent]
        )
    tests = [set(json.loads(path.read_text(encoding="utf-8"))["test"]) for path in paths]
    for fold, test in enumerate(tests):
        validation = tests[(fold + 1 + inner) % options.folds]
        rest = set().union(*tests) - test - validation
        sides = {"train": sorted(rest), "validation": sorted(validation), "test": sorted(test)}
        write_json(_inner_split(options, fold, inner), sides)


def choose(options: Options, runs: Sequence[CandidateRun]) -> list[Choice]:
    """The choice of every fold, but for one whose candidates all failed.

    A candidate that failed has no score, and no chance.

    Args:
        options: with what was tried.
        runs: of all candidates and inner folds.
    """
    choices, candidates = [], candidates_of(options)
    for fold in range(options.folds) if options.search else ():
        own = [run for run in runs if run.fold == fold]
        scores = [mean(_score(run) for run in own if run.knobs == knobs) for knobs in candidates]
        done = [all(is_done(run) for run in own if run.knobs == knobs) for knobs in candidates]
        if any(done):
            choices.append(Choice(fold, scores, candidates))
    return choices


def plan_chosen(options: Options, choices: Sequence[Choice]) -> list[FoldRun]:
    """The evaluation of each fold's best candidate, as it was trained on the fold's own split, on the test side."""
    runs = []
    for choice in choices:
        folder = options.output / f"fold-{choice.fold}"
        chosen = replace(options, settings={**options.settings, **choice.chosen})
        weights = _folder_of(options, choice.fold, choice.best, 0) / WEIGHTS
        runs.append(FoldRun(folder.name, folder, (plan_evaluation(chosen, choice.fold, folder, weights),), choice.fold))
    return runs


def as_words(knobs: Mapping[str, str]) -> str:
    """``lr=0.001, dropout=0.2``."""
    return ", ".join(f"{name}={value}" for name, value in knobs.items())


def _plan_candidate(options: Options, fold: int, inner: int, place: int, knobs: Mapping[str, str]) -> CandidateRun:
    folder = _folder_of(options, fold, place, inner)
    own = replace(options, settings={**options.settings, **knobs})
    split = {"split_file": _inner_split(options, fold, inner)} if inner else {}
    train = plan_training(own, fold, folder, **split)
    # the epoch was chosen on that side, too: a comparison of candidates, no estimate
    seen = {"side": "validation", "allow_trained_on": True}
    judge = plan_evaluation(own, fold, folder, folder / WEIGHTS, **seen, **split)
    return CandidateRun(str(folder.relative_to(options.output)), folder, (train, judge), fold, inner, knobs)


def _folder_of(options: Options, fold: int, place: int, inner: int) -> Path:
    folder = options.output / f"fold-{fold}" / f"candidate-{place}"
    return folder / f"inner-{inner}" if inner else folder


def _inner_split(options: Options, fold: int, inner: int) -> Path:
    return options.output / f"fold-{fold}" / f"inner-{inner}.json"


def _score(run: CandidateRun) -> float:
    if not is_done(run):
        return math.nan
    from common.reports.key_result import key_result

    facts = json.loads((run.folder / "metrics.json").read_text(encoding="utf-8"))
    value = key_result(facts)[1]["mean"]
    return math.nan if value is None else float(value)
