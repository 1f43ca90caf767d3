"""Numbers worked by hand: of all patients together, and on average over the folds."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.crossvalidation.folds import Fold, pool_rows, read_fold
from common.crossvalidation.measures import average, average_gains, list_measures, pool
from common.metrics.t_tests import corrected_resampled_interval
from common.splits.manifest import SplitManifest, cohort_hash

Leave = Callable[..., None]
T_2 = 4.302653  # the 97.5 % quantile of Student's t with two degrees of freedom


@pytest.fixture
def folds(tmp_path: Path, leave_fold: Leave) -> list[Fold]:
    """AUC 1 in the folds AB, CD and EF; accuracy 1, 0.5 (C is taken for HGG) and 1."""
    for number, test in enumerate(("AB", "CD", "EF")):
        (tmp_path / str(number)).mkdir()
        leave_fold(tmp_path / str(number), list(test))
    return [read_fold(tmp_path / str(number), number) for number in range(3)]


def test_all_patients_together_are_not_the_mean_of_the_folds(folds: list[Fold]) -> None:
    pooled = list_measures(pool(folds, pool_rows(folds)))
    assert next(iter(pooled)) == "AUC"
    assert pooled["AUC"]["mean"] == pytest.approx(8 / 9)  # B, HGG with .6, stands below C, LGG with .7
    assert pooled["AUC"]["n"] == 6
    assert pooled["accuracy"]["mean"] == pytest.approx(5 / 6)
    mean = average(folds)
    assert mean["AUC"]["mean"] == 1
    assert mean["accuracy"]["mean"] == pytest.approx(5 / 6)


def test_the_interval_over_the_folds_is_corrected(folds: list[Fold]) -> None:
    """Accuracies 1, 1/2, 1: variance 1/12. Two are tested for each three that are trained on."""
    found = average(folds)["accuracy"]
    reach = T_2 * math.sqrt((1 / 3 + 2 / 3) / 12)
    assert found["high"] - found["mean"] == pytest.approx(reach, rel=1e-6)
    assert found["mean"] - found["low"] == pytest.approx(reach, rel=1e-6)
    assert found["n"] == 3


def test_gains_over_a_baseline_are_averaged(folds: list[Fold]) -> None:
    found = average_gains(folds)["most frequent class"]
    assert (found["gain"]["mean"], found["gain"]["n"]) == (pytest.approx(0.1), 3)
    assert math.isnan(found["gain"]["low"])  # nothing varies, which is no certainty
    assert found["baseline"]["mean"] == 0.5


def test_an_interval_needs_two_folds_and_leaves_out_what_is_not_defined() -> None:
    one = corrected_resampled_interval([0.5, float("nan")], 0.25)
    assert (one["mean"], one["n"], math.isnan(one["low"])) == (0.5, 1, True)
    two = corrected_resampled_interval([0.4, float("nan"), 0.6], 0.25)
    reach = 12.7062 * math.sqrt((1 / 2 + 1 / 4) * 0.02)
    assert (two["mean"], two["high"]) == (pytest.approx(0.5), pytest.approx(0.5 + reach, rel=1e-4))
    none = corrected_resampled_interval([float("nan")], 0.25)
    assert (math.isnan(none["mean"]), none["n"]) == (True, 0)


def test_the_concordance_of_all_is_over_pairs_of_other_folds_too(tmp_path: Path, folds: list[Fold]) -> None:
    """Days 10 and 30 in one fold, 20 and 40 in another; predicted 1, 2 and 3, 4: 10 < 30 < 20 < 40 instead."""
    facts = {**folds[0].facts, "target": "survival", "survival": {"measures": {}}}
    rows = pool_rows(folds[:2]).assign(days=[10.0, 30, 20, 40], alive=False, predicted_days=[1.0, 2, 3, 4])
    pooled = list_measures(pool([Fold(0, tmp_path, facts, rows, folds[0].split)], rows))
    assert next(iter(pooled)) == "concordance index (Harrell)"
    assert pooled["concordance index (Harrell)"]["mean"] == pytest.approx(5 / 6)


def test_a_segmentation_is_averaged_over_patients_not_folds(tmp_path: Path) -> None:
    """Dice .2 in a fold of one patient, .8 and .8 in one of two: .6, where the mean of the folds is .5."""
    names = ["A", "B", "C"]
    regions = ("WT", "TC", "ET")
    rows = pd.DataFrame({"subject": names, "slices": 4.0})
    for region in regions:
        rows[[f"dice_{region}", f"hd95_{region}"]] = [[0.2, 9.0], [0.8, 3.0], [0.8, 3.0]]
        rows[[f"true_ml_{region}", f"predicted_ml_{region}"]] = 1.0
    rows[["soft_dice_NCR", "soft_dice_ED", "soft_dice_ET"]] = 0.5
    sides = {"train": ("B",), "validation": ("C",), "test": ("A",)}
    facts = {"protocol": "patient", "side": "test"}
    fold = Fold(0, tmp_path, facts, rows, SplitManifest(sides, cohort_hash(names)))
    pooled = list_measures(pool([fold], rows.assign(fold=[0, 1, 1])))
    assert next(iter(pooled)) == "mean Dice"
    assert pooled["mean Dice"]["mean"] == pytest.approx(0.6)
    assert pooled["HD95 (pooled) WT in mm"]["mean"] == pytest.approx(5.0)
    assert np.isnan(
        average([Fold(0, tmp_path, pool([fold], rows.assign(fold=0)), rows, fold.split)])["mean Dice"]["low"]
    )
