from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from common.cohorts.clinical_values import read_clinical
from common.cohorts.labels.survival import survival_cohort
from common.cohorts.labels.survival_classes import SurvivalClasses, fit_survival_classes
from common.errors import DatasetError, KnobError
from tests.facts import in_order, numbers


def dead(*days: float) -> list[dict[str, Any]]:
    return [{"subject": f"D{number}", "survival_days": day, "alive": False} for number, day in enumerate(days)]


def alive(*days: float) -> list[dict[str, Any]]:
    return [{"subject": f"A{number}", "survival_days": day, "alive": True} for number, day in enumerate(days)]


def test_tertiles_of_the_patients_who_died(caplog: pytest.LogCaptureFixture) -> None:
    """Quantiles of 10 ... 90 at 1/3 and 2/3 are 36.7 and 63.3; the living patient shifts neither."""
    with caplog.at_level(logging.INFO):
        fitted = fit_survival_classes([*dead(*range(10, 100, 10)), *alive(5)])
    assert fitted.thresholds == (37, 64)
    assert [fitted.label(record) for record in dead(36, 37, 63, 64)] == [0, 1, 1, 2]
    assert in_order(caplog.text, "short (under 37 days) 3", "mid (37 to 63 days) 3", "long (64 days or more) 3")


def test_who_died_on_the_quantiles_day_belongs_below_it() -> None:
    """P3 prints 5-265 days for the lowest third of BraTS 2020, whose first tertile is 265."""
    fitted = fit_survival_classes(dead(1, 2, 3, 4, 5, 6, 7))
    assert fitted.thresholds == (4, 6)
    assert [fitted.label(record) for record in dead(3, 4, 5, 6)] == [0, 1, 1, 2]


def test_a_censored_patient_has_a_class_only_beyond_the_last_threshold() -> None:
    classes = SurvivalClasses((266, 477))
    assert [classes.label(record) for record in alive(100, 300, 476, 477, 2000)] == [None, None, None, 2, 2]
    assert classes.label({"survival_days": None, "alive": True}) is None
    assert classes.label({}) is None


@pytest.mark.parametrize(
    ("thresholds", "names"),
    [
        ((265, 476), ("short (under 265 days)", "mid (265 to 475 days)", "long (476 days or more)")),
        ((300,), ("class 1 of 2 (under 300 days)", "class 2 of 2 (300 days or more)")),
        ((365.25, 1826), ("short (under 365.25 days)", "mid (365.25 to 1825 days)", "long (1826 days or more)")),
    ],
)
def test_names(thresholds: tuple[float, ...], names: tuple[str, ...]) -> None:
    assert SurvivalClasses(thresholds).names == names


def test_json_and_back() -> None:
    fitted = fit_survival_classes(dead(100, 200, 300, 400))
    assert SurvivalClasses.from_json(json.loads(json.dumps(fitted.to_json()))) == fitted


@pytest.mark.parametrize("thresholds", ["300,451", "300, 451", [300, 451], (300.0, 451)])
def test_thresholds_of_a_persons_own(thresholds: Any) -> None:
    assert fit_survival_classes(dead(100, 400, 500), thresholds).thresholds == (300, 451)


def test_one_threshold_makes_two_classes_whatever_their_number_was() -> None:
    fitted = fit_survival_classes(dead(100, 400), 300, classes=3)
    assert [fitted.label(record) for record in dead(299, 300)] == [0, 1]
    assert ["300" in name for name in fitted.names] == [True, True]


@pytest.mark.parametrize("thresholds", ["451,300", [300, 300], [0, 300], [-5], "a year", [300, "inf"], [None], []])
def test_thresholds_that_mean_nothing(thresholds: Any) -> None:
    with pytest.raises(KnobError, match=r"--thresholds: '.*' are not thresholds of survival"):
        fit_survival_classes(dead(100, 400, 500), thresholds)


def test_the_weights_that_are_judged_bring_their_classes() -> None:
    trained = SurvivalClasses((266, 477))
    assert fit_survival_classes(dead(1, 2, 3), learnt={"survival": trained.to_json()}) == trained
    assert fit_survival_classes([], learnt={"survival": trained.to_json()}) == trained


def test_one_class_is_none() -> None:
    with pytest.raises(KnobError, match="--num_classes: 1 classes leave nothing to classify"):
        fit_survival_classes(dead(100, 400, 500), classes=1)


def test_an_empty_class_is_one_clear_error() -> None:
    """P1's 1 and 5 years on patients whom nobody invented."""
    with pytest.raises(DatasetError) as caught:
        fit_survival_classes(dead(100, 400, 1767), (365, 1826))
    (problem,) = caught.value.problems
    assert in_order(problem.what, "no patient", "long (1826 days or more): ")
    assert numbers(problem.what.partition(": ")[2]) == [365, 1, 365, 1825, 2, 1826, 0]
    assert "100 to 1767 days" in problem.hint
    assert "configs/paper.yaml" in problem.hint


def test_a_late_contact_fills_the_last_class() -> None:
    assert fit_survival_classes([*dead(100, 400, 500), *alive(2000)], (365, 1826)).thresholds == (365, 1826)


def test_a_time_that_all_share_makes_empty_classes() -> None:
    with pytest.raises(DatasetError, match="Many patients share a time"):
        fit_survival_classes(dead(100, 100, 100, 100))


def test_fewer_patients_than_classes() -> None:
    with pytest.raises(DatasetError, match="2 patients with a known day of death cannot fill 3 classes"):
        fit_survival_classes([*dead(100, 200), *alive(300, 400)])


def test_the_tertiles_of_brats_2020_are_those_that_p3_prints(realdata: Path) -> None:
    """5-265, 268-476 and 486-1767 days; 1 and 5 years leave 116, 119 and 0 patients."""
    values, _ = read_clinical({realdata / "csv" / "brats2020_survival_info.csv": ("survival_days",)})
    records = survival_cohort([{"subject": subject, **known} for subject, known in values.items()])
    fitted = fit_survival_classes(records)
    assert [fitted.label({"survival_days": day}) for day in (5, 265, 268, 476, 486, 1767)] == [0, 0, 1, 1, 2, 2]
    with pytest.raises(DatasetError, match=r"days\) 116, .*days\) 119, .*more\) 0"):
        fit_survival_classes(records, (365, 1826))
