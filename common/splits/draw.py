"""Drawing the split of a run from (ids, seed, fold), and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.cohorts.records import Record
from common.errors import Problem, SplitError
from common.splits.folds import Sides, k_fold, monte_carlo, slice_split
from common.splits.guard import name_some
from common.splits.manifest import SIDES, SplitManifest, cohort_hash

METHODS = ("k_fold", "monte_carlo", "external")


def draw_split(
    records: Sequence[Record],
    seed: int = 0,
    fold: int = 0,
    folds: int = 5,
    protocol: str = "patient",
    stratify_by: str | None = "grade",
    slices_per_subject: Mapping[str, int] | None = None,
    method: str = "k_fold",
    train_share: float = 0.8,
) -> SplitManifest:
    """Split a cohort.

    Args:
        records: the cohort.
        seed: of the draw.
        fold: which fold is tested (the next one validates); with ``monte_carlo``, which repeat.
        folds: how many folds, or repeats.
        protocol: ``patient``, or ``paper`` for P3's split over all slices.
        stratify_by: a key of the records, ``None`` for no stratification.
        slices_per_subject: how many slices each volume has; needed for ``paper``.
        method: ``k_fold``; ``monte_carlo`` with any train share; ``external``: everyone is on the test side, to
            evaluate a checkpoint on another data set.
        train_share: of ``monte_carlo``.

    Raises:
        SplitError: an unknown method or fold, an id with ``#`` in it, or too few patients.
    """
    subjects = sorted({record["subject"] for record in records})
    _check(subjects, fold, folds, method)
    settings: dict[str, Any] = {"method": method}
    if protocol == "paper":
        sides = _split_slices(subjects, slices_per_subject, seed, fold)
        settings = {"method": "slice_split", "unit": "slice", "seed": seed, "fold": fold}
    elif method == "external":
        sides = Sides((), (), tuple(subjects))
    elif method == "monte_carlo":
        sides = monte_carlo(records, train_share, folds, seed, stratify_by=stratify_by)[fold]
        settings.update(seed=seed, fold=fold, folds=folds, stratify_by=stratify_by, train_share=train_share)
    else:
        sides = k_fold(records, folds, seed, stratify_by)[fold]
        settings.update(seed=seed, fold=fold, folds=folds, stratify_by=stratify_by)
    by_side = {side: getattr(sides, side) for side in SIDES}
    return SplitManifest(by_side, cohort_hash(subjects), protocol, **settings)


def _check(subjects: Sequence[str], fold: int, folds: int, method: str) -> None:
    problems = []
    if method not in METHODS:
        problems.append(Problem(f"'{method}' is no way to split", "--split_method", f"Choose of {', '.join(METHODS)}."))
    if not 0 <= fold < folds:
        problems.append(Problem(f"there is no fold {fold} of {folds}", "--fold", f"Choose 0 to {max(folds, 1) - 1}."))
    marked = [subject for subject in subjects if "#" in subject]
    if marked:
        what = f"'#' marks a slice and cannot be part of an id: {name_some(marked)}"
        problems.append(Problem(what, "the cohort", "Rename them."))
    if problems:
        raise SplitError(problems)


def _split_slices(subjects: Sequence[str], slices_per_subject: Mapping[str, int] | None, seed: int, fold: int) -> Sides:
    if slices_per_subject is None:
        raise ValueError("the published protocol splits slices: slices_per_subject is needed")
    units = [f"{subject}#{index:03d}" for subject in subjects for index in range(slices_per_subject[subject])]
    return slice_split(units, seed=int(np.random.SeedSequence([seed, fold]).generate_state(1)[0]))
