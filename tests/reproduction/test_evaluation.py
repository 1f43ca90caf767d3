from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from common.files import write_json
from common.metrics.intervals.bootstrap import Summary
from common.metrics.patient_predictions import vote_table
from common.reproduction.evaluation import Evaluation


@pytest.fixture
def evaluation(tmp_path: Path, leave_evaluation: Callable[..., None]) -> Evaluation:
    leave_evaluation(tmp_path)
    return Evaluation(tmp_path)


def test_patients_are_read_and_samples_are_counted_again(evaluation: Evaluation) -> None:
    of_patients = evaluation.measure("macro_f1", "patients")
    assert of_patients is not None
    assert of_patients == {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 4}
    undefined = evaluation.measure("auc", "patients")
    assert undefined is not None
    assert math.isnan(undefined["mean"])  # JSON has null
    of_samples = evaluation.measure("accuracy", "samples")
    assert of_samples is not None
    assert of_samples["mean"] == 5 / 8  # A, A, B, B and the first of C
    assert of_samples["n"] == 4  # patients, whatever is counted


def test_classes_go_by_the_papers_names(evaluation: Evaluation) -> None:
    of_samples = {name: evaluation.measure(f"recall_{name}", "samples") for name in ("short", "mid", "long")}
    assert {name: value and value["mean"] for name, value in of_samples.items()} == {"short": 1, "mid": 0.5, "long": 0}
    assert evaluation.measure("recall_short", "patients") is not None
    assert evaluation.measure("recall_LGG", "patients") is None


def test_votes_are_those_of_an_evaluation(evaluation: Evaluation) -> None:
    expected = vote_table(evaluation.samples, evaluation.classes).set_index("counted")
    for way in expected.index[:4]:
        value = evaluation.measure(f"{way}: accuracy", "samples")
        assert value is not None
        assert value["mean"] == pytest.approx(expected.loc[way, "accuracy"])
    # seven slices with tumour: A, A, B, C, C, D, D; C's vote is a draw between mid and long, and mid comes first
    voted = evaluation.measure("majority vote, slices counted: accuracy", "samples")
    assert voted is not None
    assert voted["mean"] == pytest.approx(5 / 7)
    assert 0 <= voted["low"] < voted["mean"] < voted["high"] <= 1
    assert evaluation.votes["majority vote, patients counted: long"]["mean"] == 0


def test_another_side_is_read_from_its_folder(evaluation: Evaluation, leave_evaluation: Callable[..., None]) -> None:
    leave_evaluation(evaluation.folder / "validation", 0.7, side="validation")
    other = evaluation.of_side("validation")
    assert other.facts["side"] == "validation"
    assert other.measure("macro_f1", "patients") != evaluation.measure("macro_f1", "patients")
    assert evaluation.of_side("train") is evaluation  # a split without that side
    assert evaluation.of_side(None) is evaluation


def test_a_confusion_matrix_counts_what_is_asked_for(evaluation: Evaluation) -> None:
    assert evaluation.confusion("samples").to_numpy().tolist() == [[4, 0, 0], [0, 1, 1], [2, 0, 0]]
    assert evaluation.confusion("patients").to_numpy().tolist() == [[2, 0, 0], [0, 1, 0], [1, 0, 0]]


def test_where_each_patient_has_one_sample_the_two_are_the_same(evaluation: Evaluation) -> None:
    (evaluation.folder / "samples.csv").unlink()
    assert Evaluation(evaluation.folder).confusion("samples").to_numpy().sum() == 4


def test_a_segmentation_is_read_too(tmp_path: Path) -> None:
    numbers = {"mean": 0.8, "low": 0.7, "high": 0.9, "median": 0.8, "n": 9}
    write_json(tmp_path / "metrics.json", {"soft_dice": {"ED": numbers}})
    assert Evaluation(tmp_path).measure("soft_dice_ED", "patients") == {"mean": 0.8, "low": 0.7, "high": 0.9, "n": 9}
    assert Evaluation(tmp_path).measure("soft_dice_WT", "patients") is None


def test_tumours_on_their_own_and_the_cost_of_a_step_are_measures_too(
    tmp_path: Path, leave_evaluation: Callable[..., None]
) -> None:
    numbers = {"mean": 0.7, "low": 0.6, "high": 0.8, "n": 3}
    leave_evaluation(tmp_path, subgroup={"measures": {"auc": numbers}})
    write_json(tmp_path / "cost.json", {"parameters": 33_148_995, "peak_memory_mb": None})
    evaluation = Evaluation(tmp_path)
    assert evaluation.measure("subgroup_auc", "patients") == numbers
    assert evaluation.measure("subgroup_f2", "patients") is None
    parameters = evaluation.measure("cost_parameters", "patients")
    assert parameters is not None
    assert parameters["mean"] == 33_148_995
    assert math.isnan(parameters["low"])
    assert evaluation.measure("cost_peak_memory_mb", "patients") is None  # as on Windows


def test_without_them_there_is_nothing_to_read(evaluation: Evaluation) -> None:
    assert evaluation.measure("subgroup_auc", "patients") is None
    assert evaluation.measure("cost_step_seconds", "patients") is None


def test_the_loss_is_the_mean_cross_entropy(evaluation: Evaluation) -> None:
    """Five of eight slices give their true class 0.8, the others 0.1."""
    loss = evaluation.measure("loss", "samples")
    assert loss is not None
    assert loss["mean"] == pytest.approx(-(5 * math.log(0.8) + 3 * math.log(0.1)) / 8)
    assert loss["low"] < loss["mean"] < loss["high"]
    assert loss["n"] == 4


def test_the_history_of_a_training_in_stages_is_one(tmp_path: Path, leave_evaluation: Callable[..., None]) -> None:
    leave_evaluation(tmp_path / "validation")
    leave_evaluation(tmp_path)
    assert Evaluation(tmp_path).measure("last_train_loss", "samples") is None
    for stage, loss in ((1, 0.75), (2, 0.5)):
        (tmp_path / f"stage{stage}").mkdir()
        rows = {"epoch": [1, 2], "train_loss": [1.0, loss], "seconds": [10.0, 5.0], "val_soft_dice": [0.125, 1 - loss]}
        pd.DataFrame(rows).to_csv(tmp_path / f"stage{stage}" / "history.csv", index=False)
    for evaluation in (Evaluation(tmp_path), Evaluation(tmp_path).of_side("validation")):
        measured = [evaluation.measure(name, "samples") for name in ("last_train_loss", "last_val_loss")]
        assert [value and value["mean"] for value in measured] == [0.5, 0.5]
        seconds = evaluation.measure("training_seconds", "samples")
        assert seconds is not None and seconds["mean"] == 30
        assert evaluation.history["epoch"].to_list() == [1, 2, 3, 4]
        lowest = evaluation.measure("lowest_train_loss", "samples")
        assert lowest is not None and lowest["mean"] == 0.5
        assert evaluation.measure("highest_val_accuracy", "samples") is None


def test_of_epochs_the_best_is_found_and_those_without_validation_are_passed_over(
    tmp_path: Path, leave_evaluation: Callable[..., None]
) -> None:
    leave_evaluation(tmp_path)
    rows = {"val_accuracy": [None, 0.5, 0.75, 0.25], "val_log_likelihood": [None, -0.9, -0.6, -2]}
    pd.DataFrame({"epoch": [1, 2, 3, 4], **rows}).to_csv(tmp_path / "history.csv", index=False)
    names = ("first_val_accuracy", "highest_val_accuracy", "last_val_accuracy", "lowest_val_loss")
    found = [evaluation and evaluation["mean"] for name in names if (evaluation := read(tmp_path, name))]
    assert found == [0.5, 0.75, 0.25, 0.6]


def read(folder: Path, name: str) -> Summary | None:
    return Evaluation(folder).measure(name, "samples")
