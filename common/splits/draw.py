"""Drawing the split of a run, which depends on ids, seed and fold alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.errors import Problem, SplitError
from common.names import name_some
from common.records import Record
from common.splits.folds import PUBLISHED_SHARES, Sides, hold_out_k_fold, k_fold, monte_carlo, slice_split
from common.splits.manifest import SIDES, SplitManifest, cohort_hash

METHODS = ("k_fold", "hold_out_k_fold", "monte_carlo", "external")
PARTS = ("slice", "image")


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
    unit: str = "slice",
    shares: Sequence[float] = PUBLISHED_SHARES,
    stratify_units_by: str | None = None,
) -> SplitManifest:
    """Split a cohort.

    Args:
        records: the cohort.
        seed: of the draw.
        fold: which fold is tested (the next one validates); with ``hold_out_k_fold``, which one validates; with
            ``monte_carlo``, which repeat.
        folds: how many folds, or repeats.
        protocol: ``patient``; or ``paper`` for a split over all slices (P3) or images (P1) of all patients, or over the
            records' subjects (P2), where copies of an image are separate subjects.
        stratify_by: a key of the records, ``None`` for no stratification.
        slices_per_subject: how many slices each volume, or images each patient, has; needed for ``paper``.
        method: ``k_fold``; ``hold_out_k_fold``, whose folds share one test side; ``monte_carlo`` with any train share;
            ``external``: all patients are on the test side, to evaluate a checkpoint on another data set.
        train_share: of ``hold_out_k_fold`` and ``monte_carlo``.
        unit: what ``paper`` splits, ``slice``, ``image`` or ``subject``; a split over subjects is by ``method``.
        shares: of ``paper``'s training, validation and test side.
        stratify_units_by: a key of the records whose values ``paper`` spreads evenly over the sides.

    Returns:
        The ids on each side, and the settings that they were drawn with.

    Raises:
        SplitError: an unknown method, unit or fold, an id with ``#`` in it, too few patients, or a patient with
            several scans whose slices are to be split.
    """
    subjects = sorted({record["subject"] for record in records})
    _check(subjects, fold, folds, method)
    settings: dict[str, Any] = {"method": method}
    if protocol == "paper" and unit != "subject":
        check_parts(records, unit)
        sides = _split_parts(records, slices_per_subject, unit, shares, _draw_seed(seed, fold), stratify_units_by)
        settings = {"method": f"{unit}_split", "unit": unit, "seed": seed, "fold": fold}
        settings["stratify_by"] = stratify_units_by
        settings["shares"] = None if tuple(shares) == PUBLISHED_SHARES else tuple(shares)
    elif method == "external":
        sides = Sides((), (), tuple(subjects))
    elif method == "hold_out_k_fold":
        sides = hold_out_k_fold(records, folds, seed, train_share, stratify_by)[fold]
        settings.update(seed=seed, fold=fold, folds=folds, stratify_by=stratify_by, train_share=train_share)
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
        problems.append(
            Problem(f"'{method}' is not a way to split", "--split_method", f"Choose one of {', '.join(METHODS)}.")
        )
    if not 0 <= fold < folds:
        problems.append(Problem(f"there is no fold {fold} of {folds}", "--fold", f"Choose 0 to {max(folds, 1) - 1}."))
    marked = [subject for subject in subjects if "#" in subject]
    if marked:
        what = f"'#' marks a slice and cannot be part of an id: {name_some(marked)}"
        problems.append(Problem(what, "the cohort", "Rename them."))
    if problems:
        raise SplitError(problems)


def check_parts(records: Sequence[Record], unit: str) -> None:
    """Refuse to split the scans of one patient: the ids of slices and images name the patient, not the scan.

    Raises:
        SplitError: an unknown unit, or a patient with several scans.
    """
    problems = []
    if unit not in PARTS:
        problems.append(Problem(f"'{unit}' cannot be split", "the published split", f"Choose {' or '.join(PARTS)}."))
    counts = Counter(record["subject"] for record in records)
    several = [subject for subject, count in counts.items() if count > 1]
    if several:
        what = f"a split over {unit}s cannot distinguish several scans of a patient: {name_some(several)}"
        hint = "Keep one scan per patient with --exclude, or leave configs/paper.yaml out."
        problems.append(Problem(what, "the cohort", hint))
    if problems:
        raise SplitError(problems)


def _draw_seed(seed: int, fold: int) -> int:
    return int(np.random.SeedSequence([seed, fold]).generate_state(1)[0])


def _split_parts(
    records: Sequence[Record],
    parts_per_subject: Mapping[str, int] | None,
    unit: str,
    shares: Sequence[float],
    seed: int,
    stratify_by: str | None,
) -> Sides:
    if parts_per_subject is None:
        raise ValueError(f"the published protocol splits {unit}s: slices_per_subject is needed")
    digits = "03d" if unit == "slice" else "d"
    strata = {
        f"{record['subject']}#{index:{digits}}": str(record.get(stratify_by)) if stratify_by else None
        for record in records
        for index in range(parts_per_subject[record["subject"]])
    }
    train, validation, test = shares
    return slice_split(list(strata), (train, validation, test), seed, strata if stratify_by else None)
