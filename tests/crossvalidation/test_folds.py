"""Folds that do not belong together are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from common.crossvalidation.folds import Fold, check_together, pool_rows, read_fold
from common.errors import OutputError, SplitLeakageError
from common.reports.segmentation import summarise_cohort

Leave = Callable[..., None]


def read(folder: Path, leave: Leave, *tests: str, **others: list[str]) -> list[Fold]:
    for number, test in enumerate(tests):
        (folder / str(number)).mkdir()
        leave(folder / str(number), list(test), **others)
    return [read_fold(folder / str(number), number) for number in range(len(tests))]


def test_folds_of_one_cross_validation_go_together(tmp_path: Path, leave_fold: Leave) -> None:
    folds = read(tmp_path, leave_fold, "AB", "CD", "EF")
    check_together(folds, each_once=True)
    rows = pool_rows(folds)
    assert rows["subject"].to_list() == list("ABCDEF")
    assert rows["fold"].to_list() == [0, 0, 1, 1, 2, 2]


def test_somebody_who_is_tested_twice_is_a_leak_but_for_random_splits(tmp_path: Path, leave_fold: Leave) -> None:
    folds = read(tmp_path, leave_fold, "AB", "BC", "EF")
    check_together(folds, each_once=False)
    with pytest.raises(SplitLeakageError, match="tested in more than one fold: B") as caught:
        check_together(folds, each_once=True)
    assert str(folds[2].folder) not in str(caught.value)


def test_a_data_set_that_changed_is_told_with_the_folder(tmp_path: Path, leave_fold: Leave) -> None:
    folds = read(tmp_path, leave_fold, "AB", "CD")
    (tmp_path / "2").mkdir()
    leave_fold(tmp_path / "2", ["E"], everybody=["A", "B", "C", "D", "E"])
    with pytest.raises(OutputError, match="split from other patients") as caught:
        check_together([*folds, read_fold(tmp_path / "2", 2)], each_once=True)
    assert [problem.where for problem in caught.value.problems] == [tmp_path / "2"]


def test_a_prediction_that_was_lost_is_told(tmp_path: Path, leave_fold: Leave) -> None:
    folds = read(tmp_path, leave_fold, "AB", "CD", "EF")
    table = tmp_path / "1" / "predictions.csv"
    pd.read_csv(table).iloc[:1].to_csv(table, index=False)
    with pytest.raises(OutputError, match="no prediction for patients whom it tests: D"):
        check_together([*folds[::2], read_fold(tmp_path / "1", 1)], each_once=True)


def test_classes_of_survival_have_other_days_in_each_fold(tmp_path: Path, leave_fold: Leave) -> None:
    answers = {"A": ("short (under 9 days)", 0.2), "B": ("long (9 days or more)", 0.6)}
    (fold,) = read(
        tmp_path, leave_fold, "AB", answers=answers, classes=["short (under 9 days)", "long (9 days or more)"]
    )
    assert fold.classes == ("short", "long")
    assert fold.rows["truth"].to_list() == ["short", "long"]
    assert fold.rows["predicted"].to_list() == ["short", "long"]
    assert fold.rows["p_long"].to_list() == [0.2, 0.6]


def test_a_column_that_a_fold_of_an_earlier_version_lacks_is_left_out(tmp_path: Path, leave_fold: Leave) -> None:
    one, other = read(tmp_path, leave_fold, "AB", "CD")
    newer = Fold(1, other.folder, other.facts, other.rows.assign(nsd_WT=1.0), other.split)
    rows = pool_rows([one, newer])
    assert rows["subject"].to_list() == list("ABCD")
    assert "nsd_WT" not in rows


def test_scans_of_a_patient_are_one_patient_beside_a_fold_without_scans(tmp_path: Path, leave_fold: Leave) -> None:
    """A's three scans have Dice 0.1, 0.2 and 0.3, so A has 0.2; with B's 0.4 and C's and D's 0.9 the mean is 0.6."""
    one, other = read(tmp_path, leave_fold, "AB", "CD")
    scans = pd.DataFrame({"subject": ["A", "A", "A", "B"], "scan": ["A1", "A2", "A3", "B"]})
    tables = scans.assign(**volumes(0.1, 0.2, 0.3, 0.4)), other.rows[["subject"]].assign(**volumes(0.9, 0.9))
    rows = pool_rows([replace(fold, rows=table) for fold, table in zip((one, other), tables, strict=True)])
    assert rows["scan"].to_list() == ["A1", "A2", "A3", "B", "C", "D"]
    found = summarise_cohort(rows.drop(columns="fold"))
    assert (found["patients"], found["scans"]) == (4, 6)
    assert found["mean_dice"]["mean"] == pytest.approx(0.6)


def volumes(*dice: float) -> dict[str, list[float]]:
    """What a segmentation measures, of which the Dice alone matters here."""
    regions = [f"{measure}_{region}" for measure in ("dice", "hd95") for region in ("WT", "TC", "ET")]
    soft = [f"soft_dice_{name}" for name in ("background", "NCR", "ED", "ET")]
    sizes = [f"{kind}_ml_{region}" for kind in ("true", "predicted") for region in ("WT", "TC", "ET")]
    return {"slices": [5.0] * len(dice), **{name: list(dice) for name in (*regions, *soft, *sizes)}}
