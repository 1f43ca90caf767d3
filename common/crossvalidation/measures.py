"""The measures of one fold, of all patients together, and on average over the folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from common.crossvalidation.folds import Fold, mean_test_to_train
from common.metrics.brats_measures import REGION_MEASURES
from common.metrics.intervals.bootstrap import Summary
from common.metrics.measures import OF_A_CLASS, title_of
from common.metrics.survival_measures import summarise_survival
from common.metrics.t_tests import corrected_resampled_interval
from common.reports.classification.measures import measure_rows
from common.reports.classification.subgroup import summarise_tumours
from common.reports.key_result import key_result
from common.reports.segmentation import summarise_cohort
from common.tasks.published import short_name

Measures = dict[str, Summary]
"""A summary under each measure's name in words; the task's key measure is the first."""

OF_A_SUBGROUP = ("auc", "accuracy", "macro_f1")


def pool(folds: Sequence[Fold], rows: pd.DataFrame, seed: int = 0) -> dict[str, Any]:
    """The measures of all patients together, as ``metrics.json`` has those of a fold.

    Args:
        folds: where the rows come from.
        rows: of :func:`~common.crossvalidation.folds.pool_rows`, everybody in one fold alone.
        seed: of the bootstrap over patients.
    """
    facts, classes = folds[0].facts, folds[0].classes
    kept = {key: facts[key] for key in ("target", "protocol", "side", "recipe") if key in facts}
    if not classes:
        return {**kept, **summarise_cohort(rows.drop(columns="fold"), seed)}
    pooled = {**kept, **measure_rows(rows, classes, {}), "subgroup": summarise_tumours(rows, classes, {})}
    if "survival" in facts:
        brats = "brats_mse" in facts["survival"]["measures"]
        pooled["survival"] = {"measures": summarise_survival(rows, seed, brats)}
    return pooled


def list_measures(facts: Mapping[str, Any]) -> Measures:
    """What ``metrics.json``, or :func:`pool`, says of a network, under names in words."""
    title, found = key_result(facts)
    listed = {title: found, **(_of_regions(facts) if "regions" in facts else _of_classes(facts))}
    return {name: _numbers(values) for name, values in listed.items()}


def average(folds: Sequence[Fold]) -> Measures:
    """The mean of each measure over the folds, with the corrected interval of Nadeau and Bengio."""
    return _average([list_measures(fold.facts) for fold in folds], mean_test_to_train(folds))


def average_gains(folds: Sequence[Fold]) -> dict[str, dict[str, Summary]]:
    """The AUC of each baseline, and by how much the network's is above it, on average over the folds.

    Returns:
        Under each baseline's name ``baseline`` and ``gain``; nothing for a segmentation.
    """
    areas, gains = (
        _average([_areas(fold.facts.get(key, {})) for fold in folds], mean_test_to_train(folds))
        for key in ("baselines", "against_baselines")
    )
    return {name: {"baseline": areas[name], "gain": gains[name]} for name in gains}


def _areas(found: Mapping[str, Mapping[str, Any]]) -> Measures:
    return {name: _numbers(measures["auc"]) for name, measures in found.items()}


def _average(found: Sequence[Measures], test_to_train: float) -> Measures:
    names = dict.fromkeys(name for measures in found for name in measures)
    return {
        name: corrected_resampled_interval(
            [measures[name]["mean"] for measures in found if name in measures], test_to_train
        )
        for name in names
    }


def _of_regions(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    of_regions = {
        measure.heading(region): found[measure.name]
        for measure in REGION_MEASURES
        for region, found in facts["regions"].items()
        if measure.name in found
    }
    return of_regions | {f"soft Dice {name}": found for name, found in facts["soft_dice"].items()}


def _of_classes(facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    subgroup = facts.get("subgroup") or {}
    return {
        **{title_of(name): found for name, found in facts["measures"].items()},
        **{f"{title_of(name)}, {subgroup['name']}": subgroup["measures"][name] for name in OF_A_SUBGROUP if subgroup},
        **{title_of(name): found for name, found in facts.get("survival", {}).get("measures", {}).items()},
        **{
            f"{measure.title}, {short_name(name)}": found[measure.name]
            for name, found in facts["per_class"].items()
            for measure in OF_A_CLASS
            if measure.name in found
        },
    }


def _numbers(values: Mapping[str, Any]) -> Summary:
    """A summary also of what was read from JSON, which stores NaN as null."""
    return {key: np.nan if values.get(key) is None else values[key] for key in ("mean", "low", "high", "n")}
