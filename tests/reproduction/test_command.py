from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.cohorts.reading import read_cohort
from common.errors import DatasetError, KnobError
from common.files import write_json
from common.knobs import parse_command_line
from common.reproduction.command import reproduce
from common.reproduction.options import Options
from common.reproduction.papers.catalogue import find_table
from common.reproduction.papers.p1_choices import BACKBONES
from common.reproduction.results_page import collect, sum_confusions
from common.reproduction.table_plan import COLUMNS, OURS, PERMUTED, PUBLISHED
from common.runs.processes import FAILED, MISSING, Outcome

MakeOptions = Callable[..., Options]
Leave = Callable[..., None]


class Runner:
    """Stands in for processes: an evaluation leaves the score of its model, or fails where there is none."""

    def __init__(self, leave: Leave, score: Callable[[Mapping[str, Any]], float | None]) -> None:
        self.leave, self.score, self.judged = leave, score, list[dict[str, Any]]()

    def __call__(self, command: Sequence[str], log: Path) -> int:
        _, settings = parse_command_line(command[2:])
        log.touch()
        if "training" in command:
            return 0
        self.judged.append(settings)
        score = self.score(settings)
        if score is None:
            log.write_text("MemoryError: too large\n")
            return 1
        self.leave(Path(settings["output_dir"]), score, settings["side"])
        return 0


@pytest.fixture
def on_phantoms(options: MakeOptions, phantom_dir: Path) -> MakeOptions:
    return lambda **others: options(dataset_dir=phantom_dir, **others)


def read(options: Options) -> tuple[pd.DataFrame, dict[str, Any], str]:
    table = pd.read_csv(options.output / "table.csv", index_col=0, dtype=str, keep_default_na=False)
    content = json.loads((options.output / "table.json").read_text(encoding="utf-8"))
    return table, content, (options.output / "table.html").read_text(encoding="utf-8")


def states(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {outcome.run.name: outcome.state for outcome in outcomes}


def test_three_columns_stand_beside_the_printed_number(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    given = on_phantoms(settings={"epochs": "1"})
    runner = Runner(leave_evaluation, lambda settings: 0.25)
    reproduce(find_table("p1-table2", "survival"), given, start=runner)
    table, content, page = read(given)
    assert list(table.index) == list(BACKBONES)
    heading = "survival macro F1: "
    headings = ["paper's recipe, paper's split", "paper's recipe, split by patient", "our recipe, split by patient"]
    assert list(table) == [heading + kind for kind in ("published", *headings)]
    ours = table.loc["vgg16"].to_list()
    assert ours[0] == "0.46"
    assert ours[1] == "0.489"  # images: F1 of 0.8, 0.667 and 0; no interval with one patient of a class
    assert ours[2:] == ["0.250 (0.150 to 0.350)"] * 2
    cell = next(cell for cell in content["cells"] if cell["row"] == "vgg16")
    told = [(part["recipe"], part["split"], part["counted"], part["n"]) for part in cell["measured"]]
    assert told == [
        ("paper", "paper", "samples", 4),
        ("paper", "patient", "patients", 4),
        ("ours", "patient", "patients", 4),
    ]
    assert [(part["kind"], part["mean"], part["paired"]) for part in cell["differences"]] == [
        ("leak", 0, 4),  # the same patients and the same answers
        ("recipe", 0, 4),
    ]
    assert "What the split and the recipe account for" in page
    assert "+0.000 (+0.000 to +0.000), 4 paired" in page
    for warning in ("These are phantoms", "are on both sides of the split", "epochs = 1", "As few as 4 patients"):
        assert any(warning in text for text in content["warnings"]), warning
        assert warning in page
    assert "Whether age is recorded tells the label." in content["warnings"]


def test_a_run_that_fails_leaves_a_blank_and_the_others_go_on(
    on_phantoms: MakeOptions, leave_evaluation: Leave
) -> None:
    table, given = find_table("p1-table2", "survival"), on_phantoms(columns=(OURS,))
    broken = Runner(leave_evaluation, lambda settings: None if settings["backbone"] == "vgg16" else 0.5)
    outcomes = reproduce(table, given, start=broken)
    assert [name for name, state in states(outcomes).items() if state == FAILED] == ["survival/vgg16/ours"]
    shown, _, page = read(given)
    assert shown.loc["vgg16"].to_list() == ["0.46", ""]
    assert shown.loc["resnet50"].to_list()[1].startswith("0.500")
    assert "1 of 8 runs failed" in page
    assert "exit code 1: MemoryError: too large" in page
    fixed = Runner(leave_evaluation, lambda settings: 0.75)
    assert FAILED not in states(reproduce(table, given, start=fixed)).values()
    assert [settings["backbone"] for settings in fixed.judged] == ["vgg16"]  # nothing else is run again
    assert read(given)[0].loc["vgg16"].to_list()[1].startswith("0.750")


def test_a_part_of_the_rows_may_be_run(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    table, given = find_table("p1-table2", "grade"), on_phantoms(columns=(PUBLISHED,))
    runner = Runner(leave_evaluation, lambda settings: 0.5)
    outcomes = reproduce(table, given, only=["grade/vgg16"], start=runner)
    assert list(states(outcomes).values()).count(MISSING) == 7
    assert "7 were not run" in read(given)[2]
    with pytest.raises(KnobError, match="--rows grade/vgg: P1, table 2 has no such row"):
        reproduce(table, given, only=["grade/vgg"], start=runner)


@pytest.mark.parametrize("folds", ["abc", "2.5", "true", "0"])
def test_folds_that_are_no_number(on_phantoms: MakeOptions, folds: str) -> None:
    with pytest.raises(KnobError, match=f"--set folds={folds}: it is no whole number"):
        reproduce(find_table("p1-table2"), on_phantoms(settings={"folds": folds}))


def test_images_are_looked_for_that_the_networks_are_given(on_phantoms: MakeOptions, tmp_path: Path) -> None:
    given = {"datalist": str(tmp_path / "list.json"), "modalities": "[t1ce]"}
    records = read_cohort(on_phantoms().dataset_dir, modalities=("t1ce",))
    write_json(tmp_path / "list.json", {"training": [{"subject": r["subject"], "t1ce": r["t1ce"]} for r in records]})
    outcomes = reproduce(find_table("p1-table2"), on_phantoms(settings=given), start=lambda _, log: log.touch() or 1)
    assert FAILED in states(outcomes).values()


def test_repeats_give_a_mean_and_a_deviation(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    given = on_phantoms(columns=(OURS,), repeats=3)
    runner = Runner(leave_evaluation, lambda settings: 0.2 + 0.1 * settings["fold"])
    reproduce(find_table("p1-table4", "survival"), given, start=runner)
    shown, content, _ = read(given)
    assert shown.loc["50% survival", "f1: our recipe, split by patient"] == "0.300 ± 0.100 (3 runs)"
    value = next(cell for cell in content["cells"] if cell["row"] == "50% survival")["measured"][0]
    assert (value["mean"], value["deviation"], value["runs"]) == (pytest.approx(0.3), pytest.approx(0.1), 3)


def test_the_winner_of_each_factor_is_judged_once_on_the_test_side(
    on_phantoms: MakeOptions, leave_evaluation: Leave
) -> None:
    good = {"batch_norm": 0, "units": [64, 128], "dropout": 0.4, "activation": "tanh", "lr": 0.002}

    def score(settings: Mapping[str, Any]) -> float:
        return 0.3 + 0.1 * sum(settings[knob] == value for knob, value in good.items())

    runner = Runner(leave_evaluation, score)
    given = on_phantoms(columns=(OURS,))
    outcomes = reproduce(find_table("p1-table3", "survival"), given, start=runner)
    *candidates, chosen = runner.judged
    assert {settings["side"] for settings in candidates} == {"validation"}
    assert chosen["side"] == "test"
    assert {knob: chosen[knob] for knob in good} == good
    assert outcomes[-1].run.name == "survival/chosen/ours"
    shown = read(given)[0]
    assert list(shown) == [
        "survival macro F1: published",
        "survival macro F1: our recipe, split by patient, validation side",
        "survival macro F1: our recipe, split by patient",
    ]
    assert shown.loc["Activation function: tanh"].to_list() == ["0.50", "0.400 (0.300 to 0.500)", ""]
    assert shown.loc["the best options together"].to_list() == ["0.60", "", "0.800 (0.700 to 0.900)"]


def test_each_column_chooses_by_what_it_counts(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    runner = Runner(leave_evaluation, lambda settings: 0.9 if settings["lr"] == 0.002 else 0.1)
    reproduce(find_table("p1-table3", "grade"), on_phantoms(), start=runner)
    paper, *by_patient = runner.judged[-3:]
    assert paper["lr"] == 0.0005  # all are equal on images: the first is taken
    assert [settings["lr"] for settings in by_patient] == [0.002, 0.002]
    assert {settings["batch_norm"] for settings in runner.judged[-3:]} == {2}


def test_nothing_is_chosen_before_all_options_are_there(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    given = on_phantoms(columns=(OURS,))
    runner = Runner(leave_evaluation, lambda settings: None if settings["lr"] == 0.002 else 0.5)
    outcomes = reproduce(find_table("p1-table3", "grade"), given, start=runner)
    assert "grade/chosen/ours" not in states(outcomes)
    assert read(given)[0].loc["the best options together"].to_list() == ["0.97", ""]


def test_the_data_set_is_looked_at_before_anything_runs(
    options: MakeOptions, tmp_path: Path, leave_evaluation: Leave
) -> None:
    runner = Runner(leave_evaluation, lambda settings: 0.5)
    with pytest.raises(DatasetError):
        reproduce(find_table("p1-table5"), options(dataset_dir=tmp_path / "nowhere"), start=runner)
    assert runner.judged == []
    assert not (tmp_path / "out").exists()


def test_the_final_table_shows_who_was_taken_for_whom(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    given = on_phantoms(repeats=2)
    outcomes = reproduce(find_table("p1-table6"), given, start=Runner(leave_evaluation, lambda settings: 0.5))
    shown, _, page = read(given)
    assert list(shown.index) == ["short", "mid", "long", "macro average"]
    assert page.count("predicted mid") == 3  # one matrix per column
    confusion = sum_confusions(collect(outcomes)["survival/final", "paper"], "samples")
    assert confusion.iloc[2].to_list() == ["long", 4, 0, 0]  # two images in each of two repeats


def test_shuffled_labels_are_one_more_column(on_phantoms: MakeOptions, leave_evaluation: Leave) -> None:
    given = on_phantoms(columns=(*COLUMNS, PERMUTED))
    runner = Runner(leave_evaluation, lambda settings: 0.5)
    reproduce(find_table("p1-table5"), given, start=runner)
    assert [settings.get("permute_labels") for settings in runner.judged] == [None, None, None, "true"]
    shown, content, _ = read(given)
    assert "recall: paper's recipe and split, labels shuffled" in list(shown)
    assert {part["kind"] for cell in content["cells"] for part in cell["differences"]} == {"leak", "recipe"}


def test_a_table_of_the_data_set_alone_needs_no_run(on_phantoms: MakeOptions) -> None:
    """P1's table 1, with its figures of a patient's images."""
    given = on_phantoms()
    assert reproduce(find_table("p1-table1"), given) == []
    table, content, page = read(given)
    lgg, hgg, filled = "LGG: recorded", "HGG: recorded", "LGG: filled in by P1's rule"
    assert table.loc["with an age", [lgg, filled]].to_list() == ["0", table.loc["patients", filled]]
    assert table.loc["mean age, years", ["LGG: P1, table 1", lgg]].to_list() == ["38.5", "not recorded"]
    ages = pd.read_csv(next(given.dataset_dir.rglob("survival_info.csv")))["Age"]
    assert table.loc["mean age, years", hgg] == f"{ages.mean():.2f} ± {ages.std():.2f}"
    assert [row["figure"] for row in content["figures"]] == ["p1-figure1"]  # too flat for slices 30 mm apart
    assert all((given.output / row["file"]).is_file() for row in content["figures"])
    assert "No network is trained" in page
    assert "Runs</h2>" not in page
