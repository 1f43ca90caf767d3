"""Fifty cohorts a setting of what ``make coverage`` measures with a thousand; the seed is fixed.

Of 50 intervals that cover at 95 %, fewer than 43 do in one of 500 draws.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import tests.intervals.__main__ as command
from tests.intervals import studies
from tests.intervals.cohorts import CLASSES, Classifier, Survivors, TwoClassifiers, Volumes
from tests.intervals.studies import Study
from tests.intervals.tables import coverage, write_table

ENOUGH = 43 / 50


def ask(study: object, *model: object) -> dict[str, float]:
    """The share of 50 intervals that hold the truth, by measure."""
    answers = Study("any", {}, partial(study, *model)).answer(50, seed=0)
    return {name: coverage(values)[0] for name, values in answers.items()}


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("area", [0.7, 0.95])
def test_intervals_of_few_patients_cover(area: float, several: bool) -> None:
    """Percentiles of a bootstrap cover about 78 % of the AUC of .95, which is 39 of 50."""
    found = ask(studies.judge_classifier, Classifier(20, area, 0.5, several))
    assert all(found[name] >= ENOUGH for name in ("accuracy", "macro_f1", "auc", "sensitivity"))


def test_an_area_with_a_rare_class_is_covered() -> None:
    """Six patients of 60: percentiles of a bootstrap cover about 80 %."""
    assert ask(studies.judge_classifier, Classifier(60, 0.95, 0.1))["auc"] >= ENOUGH


def test_intervals_that_take_scans_for_patients_do_not_cover() -> None:
    found = ask(studies.judge_classifier, Classifier(60, 0.7, 0.5, several=True))
    assert found["auc"] >= ENOUGH > found["naive auc"]
    assert found["accuracy"] >= ENOUGH > found["naive accuracy"]


def test_other_intervals_cover() -> None:
    assert ask(studies.judge_volumes, Volumes(60, 0.07))["dice"] >= ENOUGH
    assert ask(studies.judge_survivors, Survivors(60, 0.7))["concordance"] >= ENOUGH
    assert ask(studies.compare_classifiers, TwoClassifiers(60, (0.9, 0.9)))["difference"] >= ENOUGH


def test_tests_reject_no_more_than_their_level() -> None:
    chance = Study("any", {}, partial(studies.test_chance, Classifier(60, 0.5, 0.5))).answer(200, seed=0)
    assert np.mean(np.array(chance["DeLong's test"]) <= 0.05) < 0.1
    assert np.mean(chance["range of chance"]) > 0.9
    folds = Study("any", {}, partial(studies.compare_over_splits, 60)).answer(100, seed=0)
    rejected = {name: np.mean(np.array(values) <= 0.05) for name, values in folds.items()}
    assert rejected["corrected resampled t, 20 splits"] < 0.1 < rejected["paired t, 20 splits"]


def test_the_truth_of_a_simulated_classifier_is_that_of_very_many_patients() -> None:
    model = Classifier(200_000, 0.8, 0.3)
    rows = model.draw(np.random.default_rng(0))
    second, called = rows["truth"] == CLASSES[1], rows["p_B"] > 0.5
    truth = model.truth()
    assert np.mean(second == called) == pytest.approx(truth["accuracy"], abs=0.005)
    assert np.mean(called[second]) == pytest.approx(truth["sensitivity"], abs=0.005)
    f1 = [2 * np.sum(a & b) / (np.sum(a) + np.sum(b)) for a, b in ((second, called), (~second, ~called))]
    assert np.mean(f1) == pytest.approx(truth["macro_f1"], abs=0.005)
    volumes = Volumes(200_000, 0.07)
    found, true = dict(volumes.draw(np.random.default_rng(0)).mean()), volumes.truth()
    assert found.pop("hd95") == pytest.approx(true.pop("hd95"), abs=0.5)
    assert found == pytest.approx(true, abs=0.002)


def test_a_table_marks_what_is_outside_of_the_promise() -> None:
    known = {"auc": [1.0] * 19 + [0.0], "macro_f1": [1.0] * 8 + [0.0] * 2 + [None] * 10}
    study = Study("Dice", {"patients": "20"}, lambda random: {})
    assert write_table("Dice", [study], {study.name: known}).splitlines() == [
        "| patients | AUC | macro F1 |",
        "|---|---|---|",
        "| 20 | 95.0 | **80.0** (of 50) |",
    ]


def test_the_command_goes_on_and_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is there is not asked again; a few cohorts leave the document alone."""
    tests = Study("tests", {"patients": "20", "of": "any"}, partial(studies.test_chance, Classifier(20, 0.5, 0.5)))
    others = [Study(kind, {"patients": "20"}, lambda _: {"dice": 1.0}) for kind in command_tables()]
    monkeypatch.setattr(studies, "list_studies", lambda: [*others, tests])
    monkeypatch.setattr(sys, "argv", ["coverage", "--cohorts", "4", "--workers", "1", "--output", str(tmp_path)])
    monkeypatch.setattr(command, "ProcessPoolExecutor", Here)
    document = command.DOCUMENT.read_text(encoding="utf-8")
    assert command.main() == 0
    assert "5 of 5" in capsys.readouterr().out
    first = next(tmp_path.glob("*/000.json"))
    first.write_text(json.dumps({"dice": [0.0, 1.0, 1.0, 1.0]}))
    assert command.main() == 0
    assert "| 20 | **75.0** |" in capsys.readouterr().out
    assert command.DOCUMENT.read_text(encoding="utf-8") == document


def command_tables() -> tuple[str, ...]:
    """The kinds of tables but that of the tests."""
    from tests.intervals.tables import TABLES

    return TABLES[:-1]


class Here:
    """A pool of no other process."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, work: object, *arguments: object) -> Here:
        """Do it at once."""
        from concurrent.futures import Future

        done: Future[object] = Future()
        done.set_result(work(*arguments))
        return done
