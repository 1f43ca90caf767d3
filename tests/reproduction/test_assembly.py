from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from common.files import write_json
from common.reports.page import DASH
from common.reproduction.assembly import fill, lay_out, to_json
from common.reproduction.evaluation import Evaluation
from common.reproduction.table_plan import Cell

CELLS = (
    Cell("0 (short)", "accuracy", "a", "recall_short", 0.7006, "samples"),
    Cell("0 (short)", "AUC", "a", "auc_short", 0.78, "samples"),
    Cell("overall", "accuracy", "a", "accuracy", None, "patients"),
    Cell("overall", "macro AUC", "a", "auc", None, "patients"),
    Cell("overall", "grade", "b", "accuracy", 0.9),
)


@pytest.fixture
def evaluation(tmp_path: Path, leave_evaluation: Callable[..., None]) -> Evaluation:
    leave_evaluation(tmp_path)
    return Evaluation(tmp_path)


def test_ours_stands_beside_what_was_printed(evaluation: Evaluation) -> None:
    frame = lay_out(CELLS, fill(CELLS, {("a", "paper"): [evaluation]}))
    assert frame[("", "")].to_list() == ["0 (short)", "overall"]
    assert frame[("accuracy", "published")].to_list() == ["0.7006", ""]
    assert frame[("accuracy", "paper's recipe, paper's split")].to_list()[1] == "0.500 (0.400 to 0.600)"
    assert frame[("AUC", "published")].to_list() == ["0.78", ""]
    assert frame[("macro AUC", "paper's recipe, paper's split")].to_list() == ["", DASH]  # measured, and undefined
    assert list(frame["grade"]) == ["published"]  # nothing was run for it
    assert frame[("grade", "published")].to_list() == ["", "0.90"]


def test_a_count_has_no_digits_and_is_of_one_run(evaluation: Evaluation) -> None:
    write_json(evaluation.folder / "cost.json", {"parameters": 11_472_963})
    second = Evaluation(evaluation.folder, 1)
    cells = [Cell("MC3", "parameters", "a", "cost_parameters", 22_583_975, repeat=0, digits=0)]
    frame = lay_out(cells, fill(cells, {("a", "ours"): [evaluation, second]}))
    assert frame[("parameters", "published")].to_list() == ["22,583,975"]
    assert frame[("parameters", "our recipe, split by patient")].to_list() == ["11,472,963"]


def test_repeats_without_a_value_are_left_out_of_the_mean(
    evaluation: Evaluation, tmp_path: Path, leave_evaluation: Callable[..., None]
) -> None:
    leave_evaluation(tmp_path / "second", 0.7)
    second = Evaluation(tmp_path / "second")
    cells = CELLS[2:4]
    accuracy, area = fill(cells, {("a", "ours"): [evaluation, second]})
    assert accuracy.value == {"mean": pytest.approx(0.6), "deviation": pytest.approx(0.1 * math.sqrt(2)), "n": 4}
    assert str(accuracy) == "0.600 ± 0.141 (2 runs)"
    assert math.isnan(area.value["mean"])


def test_a_cell_may_be_one_fold_on_another_side(tmp_path: Path, leave_evaluation: Callable[..., None]) -> None:
    found = []
    for fold, score in enumerate((0.4, 0.6)):
        leave_evaluation(tmp_path / str(fold), 0.9)
        leave_evaluation(tmp_path / str(fold) / "validation", score, side="validation")
        found.append(Evaluation(tmp_path / str(fold), fold))
    places = {"Fold 1": 0, "Fold 2": 1, "Fold 3": 2, "Mean": None}
    cells = [
        Cell(row, "F1", "a", "macro_f1", 0.5, "patients", side="validation", repeat=fold)
        for row, fold in places.items()
    ]
    frame = lay_out(cells, fill(cells, {("a", "ours"): found}))
    told = frame[("F1", "our recipe, split by patient, validation side")].to_list()
    assert told == ["0.400 (0.300 to 0.500)", "0.600 (0.500 to 0.700)", "", "0.500 ± 0.141 (2 runs)"]


def test_every_number_is_kept_with_what_it_counts(evaluation: Evaluation) -> None:
    written = to_json(CELLS, fill(CELLS, {("b", "paper"): [evaluation], ("b", "ours"): [evaluation]}))
    assert [cell["measured"] for cell in written[:4]] == [[]] * 4
    told = [(part["recipe"], part["split"], part["counted"], part["mean"]) for part in written[4]["measured"]]
    assert told == [("paper", "paper", "samples", 0.625), ("ours", "patient", "patients", 0.5)]


def test_a_variance_is_that_of_the_repeats_in_squared_points(
    tmp_path: Path, leave_evaluation: Callable[..., None]
) -> None:
    """P2's own folds, whose variance it prints as 0.092 %."""
    folds = (0.9794, 0.9734, 0.9770)
    for fold, accuracy in enumerate(folds):
        leave_evaluation(tmp_path / str(fold), accuracy)
    found = [Evaluation(tmp_path / str(fold), fold) for fold in range(3)]
    cell = Cell("Variance", "accuracy", "a", "accuracy", 0.092, "patients", variance=True)
    heading = ("accuracy", "our recipe, split by patient")
    frame = lay_out([cell], fill([cell], {("a", "ours"): found}))
    assert frame[heading].to_list() == ["0.091"]
    assert heading not in lay_out([cell], fill([cell], {("a", "ours"): found[:1]}))
