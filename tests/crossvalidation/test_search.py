"""The nested choice: by validation alone, anew for each fold, and the test side judged once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from common.crossvalidation.command import cross_validate
from common.crossvalidation.options import Options, check_options
from common.crossvalidation.search import Choice, plan_candidates
from common.errors import KnobError, OutputError
from common.knobs import parse_command_line
from common.runs.processes import DONE, FAILED
from common.runs.settings import read_choices
from common.splits.manifest import load_manifest
from tests.facts import in_order

MakeOptions = Callable[..., Options]
Leave = Callable[..., None]
TESTS = ("AB", "CD", "EF")
SLOW, FAST = {"lr": "0.1"}, {"lr": "0.5"}
BEST = {0: 0.1, 1: 0.5, 2: 0.5}
"""The learning rate that validates best when a fold is tested; on every test side the other one would be better."""


class Runner:
    """Stands in for processes; the validation side prefers :data:`BEST`."""

    def __init__(self, leave: Leave, fails: Callable[[Mapping[str, Any]], bool] = lambda settings: False) -> None:
        self.leave, self.fails = leave, fails
        self.judged: list[dict[str, Any]] = []

    def __call__(self, command: Sequence[str], log: Path) -> int:
        _, settings = parse_command_line(command[2:])
        log.touch()
        if self.fails(settings):
            return 1
        if command[3] == "training":
            return 0
        self.judged.append(settings)
        fold, side = settings["fold"], settings["side"]
        right = (settings["lr"] == BEST[fold]) == (side == "validation")
        area = {"mean": 0.9 if right else 0.6, "low": 0.5, "high": 1.0, "n": 2}
        facts = {"auc": area, "accuracy": area, "macro_f1": area}
        self.leave(Path(settings["output_dir"]), list(TESTS[fold]), side=side, measures=facts)
        return 0


@pytest.fixture
def searching(options: MakeOptions, phantom_dir: Path) -> MakeOptions:
    given = {"data": {"dataset_dir": phantom_dir}, "search": {"lr": ("0.1", "0.5")}}
    return lambda **others: options(**{**given, **others})


def test_the_choice_follows_the_validation_side_of_each_fold(searching: MakeOptions, leave_fold: Leave) -> None:
    given, runner = searching(), Runner(leave_fold)
    assert {outcome.state for outcome in cross_validate(given, runner)} == {DONE}
    judged = [(settings["fold"], settings["side"], settings["lr"]) for settings in runner.judged]
    assert judged[:6] == [(fold, "validation", lr) for fold in range(3) for lr in (0.1, 0.5)]
    assert judged[6:] == [(fold, "test", BEST[fold]) for fold in range(3)]
    content = json.loads((given.output / "table.json").read_text(encoding="utf-8"))
    assert [choice["chosen"] for choice in content["choices"]] == [SLOW, FAST, FAST]
    assert content["choices"][0]["lr=0.1"] == 0.9
    page = (given.output / "table.html").read_text(encoding="utf-8")
    assert "What was chosen in each fold" in page
    assert content["columns"]["fold 0"]["AUC"]["mean"] == 0.6  # what the test side says of the chosen one
    again = Runner(leave_fold)
    cross_validate(given, again)
    assert again.judged == []


def test_the_chosen_network_is_the_candidate_s(searching: MakeOptions, leave_fold: Leave) -> None:
    given, runner = searching(), Runner(leave_fold)
    cross_validate(given, runner)
    last = runner.judged[-1]
    assert last["weights"] == str(given.output / "fold-2" / "candidate-1" / "model.pt")
    assert last["output_dir"] == str(given.output / "fold-2")
    assert "allow_trained_on" not in last
    assert runner.judged[0]["allow_trained_on"] == "true"


def test_a_candidate_that_fails_is_not_chosen_and_does_not_keep_its_fold_from_a_choice(
    searching: MakeOptions, leave_fold: Leave
) -> None:
    given = searching()
    broken = Runner(leave_fold, lambda settings: settings["fold"] == 1 and settings["lr"] == 0.5)
    states = [outcome.state for outcome in cross_validate(given, broken)]
    assert states == [DONE, DONE, DONE, FAILED, DONE, DONE, DONE, DONE, DONE]  # six candidates, three folds
    tested = [(settings["fold"], settings["lr"]) for settings in broken.judged if settings["side"] == "test"]
    assert tested == [(0, 0.1), (1, 0.1), (2, 0.5)]
    content = json.loads((given.output / "table.json").read_text(encoding="utf-8"))
    assert content["choices"][1] == {"fold": 1, "chosen": SLOW, "lr=0.1": 0.6, "lr=0.5": None}
    page = (given.output / "table.html").read_text(encoding="utf-8")
    assert in_order(page, "What was chosen in each fold", "lr=0.1", "0.600", "\N{EN DASH}", "the candidate failed")
    with pytest.raises(OutputError, match="fold-1: this run was begun with other settings"):
        cross_validate(given, Runner(leave_fold))  # the other choice, after its test side was seen


def test_a_fold_whose_candidates_all_fail_has_no_choice(searching: MakeOptions, leave_fold: Leave) -> None:
    given = searching()
    broken = Runner(leave_fold, lambda settings: settings["fold"] == 1)
    states = [outcome.state for outcome in cross_validate(given, broken)]
    assert states == [DONE, DONE, FAILED, FAILED, DONE, DONE, DONE, DONE]
    mended = Runner(leave_fold)
    assert {outcome.state for outcome in cross_validate(given, mended)} == {DONE}
    judged = [(settings["fold"], settings["side"]) for settings in mended.judged]
    assert judged == [(1, "validation"), (1, "validation"), (1, "test")]


def test_inner_folds_never_hold_who_is_tested(searching: MakeOptions, leave_fold: Leave) -> None:
    given, runner = searching(inner_folds=2), Runner(leave_fold)
    assert {outcome.state for outcome in cross_validate(given, runner)} == {DONE}
    for fold, (test, validation, train) in enumerate((("AB", "EF", "CD"), ("CD", "AB", "EF"), ("EF", "CD", "AB"))):
        split = load_manifest(given.output / f"fold-{fold}" / "inner-1.json")
        assert split.sides == {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}
    inner = [settings for settings in runner.judged if "split_file" in settings]
    assert len(inner) == 6
    assert {settings["side"] for settings in inner} == {"validation"}
    assert [settings["side"] for settings in runner.judged].count("test") == 3
    assert all("split_file" not in settings for settings in runner.judged if settings["side"] == "test")


def test_the_score_is_the_mean_of_the_inner_folds_and_nothing_beats_undefined() -> None:
    assert Choice(0, [0.2, float("nan"), 0.5, 0.5], [SLOW] * 4).best == 2
    assert Choice(0, [float("nan")] * 2, [SLOW, FAST]).best == 0


def test_every_combination_is_tried(searching: MakeOptions) -> None:
    runs = plan_candidates(searching(search={"lr": ("0.1", "0.5"), "units": ("[16]", "[32,16]")}))
    assert [run.knobs["units"] for run in runs[:4]] == ["[16]", "[32,16]"] * 2
    assert len({run.folder for run in runs}) == len(runs) == 12
    assert {run.steps[0].settings["fold"] for run in runs[4:8]} == {1}


def test_values_are_read_with_their_brackets() -> None:
    found = read_choices(["units=[256, 256], [64]", "backbone=resnet18,resnet50", "span=(1,2),(3,4)"])
    assert found["units"] == ("[256, 256]", "[64]")
    assert found["backbone"] == ("resnet18", "resnet50")
    assert found["span"] == ("(1,2)", "(3,4)")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"search": {"lr": ("1",)}}, "--search lr=1: there is nothing to choose from"),
        ({"search": {"lr": ("1", "1")}}, "there is nothing to choose from"),
        ({"search": {"lrr": ("1", "2")}}, "--search lrr=1,2: no config of these commands defines it"),
        ({"search": {"seed": ("1", "2")}}, "this command sets it itself. Use --set instead"),
        ({"search": {"fold": ("1", "2")}}, "--search fold=1,2: this command sets it itself"),
        ({"settings": {"lr": "1"}}, "--set gives this knob a value"),
        ({"inner_folds": 3}, "--inner_folds 3: .*Give 1 to 2"),
        ({"inner_folds": 2, "scheme": "montecarlo"}, "It needs --search and --scheme kfold"),
        ({"inner_folds": 2, "search": {}}, "It needs --search and --scheme kfold"),
    ],
)
def test_what_cannot_be_searched_is_refused(wrong: dict, told: str, searching: MakeOptions) -> None:
    with pytest.raises(KnobError, match=told):
        check_options(searching(**wrong))
