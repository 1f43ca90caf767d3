from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from common.metrics import fit_baselines
from common.metrics.judgement import judge

GRADES = ("LGG", "HGG")


def patients(labels: list[int], **values: Any) -> list[dict[str, Any]]:
    """Values are functions of the place and the label."""
    return [
        {"subject": f"P{place}", "label": label, **{name: value(place, label) for name, value in values.items()}}
        for place, label in enumerate(labels)
    ]


def area(answer: np.ndarray, test: list[dict[str, Any]]) -> float:
    return judge(np.array([patient["label"] for patient in test]), answer, GRADES)["auc"]


def brats_like(labels: list[int]) -> list[dict[str, Any]]:
    """No LGG patient has an age; the ages themselves tell nothing, and resection is known of every third HGG."""
    return patients(
        labels,
        age=lambda place, label: 40.0 + place % 7 if label else None,
        resection=lambda place, label: "GTR" if label and place % 3 == 0 else None,
    )


def test_missing_ages_alone_tell_the_grade_of_brats() -> None:
    train, test = brats_like([0, 1] * 15), brats_like([0, 1, 1, 0, 1])
    found = fit_baselines(train, test, GRADES)
    assert area(found.probabilities["missing values alone"], test) == 1
    assert area(found.probabilities["majority class"], test) == 0.5
    assert found.left_out == {
        "age alone": "it is not recorded for one class, so missing values alone predict as much",
        "tumour volume alone": "masks to measure it are missing",
    }


def test_the_majority_class_answers_with_the_training_shares() -> None:
    train, test = brats_like([1, 1, 1, 0]), brats_like([0, 1])
    answer = fit_baselines(train, test, GRADES).probabilities["majority class"]
    assert answer.tolist() == [[0.25, 0.75], [0.25, 0.75]]


def test_a_telling_age_and_volume_are_learned_on_the_training_side_alone() -> None:
    def make(labels: list[int], turn: int) -> list[dict[str, Any]]:
        age = {0: 40.0, 1: 60.0} if turn else {0: 60.0, 1: 40.0}
        return patients(
            labels, age=lambda place, label: age[label] + place % 5, tumour_ml=lambda place, label: 10.0**turn + place
        )

    labels = [0, 1] * 10
    found = fit_baselines(make(labels, 0), make(labels, 1), GRADES).probabilities
    assert area(found["age alone"], make(labels, 1)) == 0  # what it learned is turned around on the test side
    assert "tumour volume alone" in found
    assert np.allclose(found["age alone"].sum(axis=1), 1)


def test_the_larger_tumour_is_told() -> None:
    def make(labels: list[int]) -> list[dict[str, Any]]:
        return patients(labels, tumour_ml=lambda place, label: 0.0 if place == 0 else 10.0 + 90 * label + place)

    found = fit_baselines(make([0, 1] * 10), make([0, 1, 1]), GRADES)
    assert area(found.probabilities["tumour volume alone"], make([0, 1, 1])) == 1


def test_what_does_not_vary_is_left_out_with_a_reason() -> None:
    train = patients([0, 1, 1], age=lambda *_: None, resection=lambda *_: "GTR", survival_days=lambda *_: 5.0)
    found = fit_baselines(train, train, GRADES)
    assert found.left_out == {
        "missing values alone": "it is the same on the whole training side",
        "age alone": "it is not recorded on the training side",
        "tumour volume alone": "masks to measure it are missing",
    }


def test_the_target_may_not_be_an_input() -> None:
    records = patients([0, 1] * 5, survival_days=lambda _, label: 5.0 if label else None)
    assert "missing values alone" in fit_baselines(records, records, GRADES).probabilities
    recorded = ("age", "resection")
    assert "missing values alone" in fit_baselines(records, records, GRADES, recorded=recorded).left_out


@pytest.mark.parametrize(("labels", "reason"), [([], "the training side is empty"), ([1, 1], "holds one class only")])
def test_a_side_that_teaches_nothing_leaves_all_out(labels: list[int], reason: str) -> None:
    found = fit_baselines(brats_like(labels), brats_like([0, 1]), GRADES)
    assert not found.probabilities
    assert found.left_out
    assert all(reason in text for text in found.left_out.values())


def test_a_class_that_training_does_not_hold_gets_nothing() -> None:
    train = patients([0, 2] * 5, age=lambda place, label: 50.0 + 10 * label + place)
    answer = fit_baselines(train, train, ("short", "mid", "long")).probabilities["age alone"]
    assert answer.shape == (10, 3)
    assert not answer[:, 1].any()


def test_properties_of_the_scan_are_a_baseline_where_somebody_looked() -> None:
    train, test = patients([0, 1] * 10), patients([0, 1, 1])
    label = np.array([[patient["label"]] for patient in train], dtype=float)
    answer = fit_baselines(train, test, GRADES, traits=(label, np.array([[0.0], [1.0], [1.0]])))
    assert area(answer.probabilities["properties of the scan alone"], test) == 1
    nowhere = (np.empty((20, 0)), np.empty((3, 0)))
    left_out = fit_baselines(train, test, GRADES, traits=nowhere).left_out
    assert left_out["properties of the scan alone"] == "none differs between the patients"
    assert "properties of the scan alone" not in fit_baselines(train, test, GRADES).left_out
