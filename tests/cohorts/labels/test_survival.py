from __future__ import annotations

import logging
from typing import Any

import pytest

from common.cohorts.labels.survival import label_survival, median_days, survival_cohort
from common.cohorts.labels.survival_classes import SurvivalClasses
from common.errors import DatasetError
from tests.facts import in_order


def patient(subject: str, days: float | None, alive: bool = False) -> dict[str, Any]:
    return {"subject": subject, "survival_days": days, "alive": alive}


def test_dead_and_censored_patients_stay_and_the_log_counts_the_others(caplog: pytest.LogCaptureFixture) -> None:
    records = [patient("a", 50), patient("b", None), patient("c", 361, alive=True), patient("d", None, alive=True)]
    with caplog.at_level(logging.INFO):
        cohort = survival_cohort(records)
    assert [(record["subject"], record["alive"]) for record in cohort] == [("a", False), ("c", True)]
    assert "2 of 4 patients are left out: no survival time is recorded" in caplog.text


def test_strata_are_the_tertiles_of_the_whole_cohort() -> None:
    cohort = survival_cohort([patient(str(day), day) for day in (90, 10, 50, 20, 30, 70, 60, 40, 80)])
    assert {record["subject"]: record["survival_stratum"] for record in cohort} == {
        **dict.fromkeys(("10", "20", "30"), 0),
        **dict.fromkeys(("40", "50", "60"), 1),
        **dict.fromkeys(("70", "80", "90"), 2),
    }


def test_p3_takes_the_living_for_dead_and_the_records_stay_as_they_were() -> None:
    records = [patient("a", 50), patient("c", 361, alive=True)]
    assert [record["alive"] for record in survival_cohort(records, censored_as_dead=True)] == [False, False]
    assert records[1]["alive"] is True


def test_survival_missing_for_all_is_one_error() -> None:
    with pytest.raises(DatasetError, match="none of 2 patients has a survival time") as caught:
        survival_cohort([patient("a", None), patient("b", None, alive=True)])
    assert len(caught.value.problems) == 1


def test_censored_patients_without_a_class_are_set_aside_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    records = [patient("a", 100), patient("b", 300, alive=True), patient("c", 900, alive=True), patient("d", 400)]
    with caplog.at_level(logging.INFO):
        labelled = label_survival(records, SurvivalClasses((266, 477)))
    assert [(record["subject"], record["label"]) for record in labelled] == [("a", 0), ("c", 2), ("d", 1)]
    assert in_order(caplog.text, "1 of 4 patients", "alive", "day 477")


def test_median_days_are_of_those_who_died() -> None:
    classes = SurvivalClasses((266, 477))
    records = [patient(str(day), day) for day in (100, 200, 230, 300, 500, 700)]
    labelled = label_survival([*records, patient("x", 2000, alive=True)], classes)
    assert median_days(labelled, classes) == (200, 300, 600)
    assert median_days([], classes, {"median_days": [1.0, 2.0, 3.0]}) == (1, 2, 3)  # those of the weights to judge


def test_a_class_of_the_living_alone_stands_for_their_last_contacts() -> None:
    classes = SurvivalClasses((365, 1826))
    records = [patient("a", 100), patient("b", 400), patient("c", 2000, alive=True), patient("d", 3000, alive=True)]
    assert median_days(label_survival(records, classes), classes) == (100, 400, 2500)


def test_a_class_without_patients_has_no_median() -> None:
    classes = SurvivalClasses((365, 1826))
    with pytest.raises(DatasetError, match=r"no patient is long \(1826 days or more\)"):
        median_days(label_survival([patient("a", 100), patient("b", 400)], classes), classes)
