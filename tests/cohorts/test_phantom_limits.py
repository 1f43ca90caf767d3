"""The Bayes rates agree with what happens when patients of other seeds are classified by the rule itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import norm

from common.cohorts.phantom_limits import best_concordance, best_survival_accuracy
from common.cohorts.phantom_patients import draw_patient, expected_log_survival
from common.cohorts.survival_classes import SurvivalClasses
from common.errors import KnobError

CLASSES = SurvivalClasses((300, 520))


def test_the_rate_of_one_who_knows_all_is_reached_by_the_rule_and_no_more() -> None:
    hits = []
    for index in range(6000):
        patient = draw_patient(91, index)
        label = CLASSES.label({"survival_days": patient.survival_days, "alive": patient.alive})
        if label is None:
            continue
        odds = {"GTR": 0.6, "STR": 0.4} if patient.resection is None else {patient.resection: 1.0}
        below = sum(
            odd
            * norm.cdf((np.log(CLASSES.thresholds) - expected_log_survival(patient.volume_ml, patient.age, how)) / 0.5)
            for how, odd in odds.items()
        )
        hits.append(int(np.diff([0, *below, 1]).argmax()) == label)
    assert best_survival_accuracy(CLASSES.thresholds) == pytest.approx(np.mean(hits), abs=0.02)


def test_who_knows_nothing_gets_the_largest_class() -> None:
    labels = [
        CLASSES.label({"survival_days": patient.survival_days, "alive": patient.alive})
        for patient in (draw_patient(92, index) for index in range(6000))
    ]
    counts = np.bincount([label for label in labels if label is not None])
    assert best_survival_accuracy(CLASSES.thresholds, knows=()) == pytest.approx(counts.max() / counts.sum(), abs=0.02)
    assert best_concordance(knows=()) == 0.5


def test_whoever_knows_more_does_better() -> None:
    steps = [(), ("volume",), ("volume", "age"), ("volume", "age", "resection")]
    accuracies = [best_survival_accuracy(CLASSES.thresholds, knows) for knows in steps]
    concordances = [best_concordance(knows) for knows in steps]
    for rates in (accuracies, concordances):
        assert all(less + 0.005 < more for less, more in pairwise(rates))
        assert rates[-1] < 0.8


def test_concordance_of_age_alone_is_that_of_the_ages() -> None:
    """Who is older dies sooner: the share of pairs of patients, all dead, in which that holds."""
    patients = [patient for patient in (draw_patient(93, index) for index in range(1500)) if not patient.alive]
    ages, days = (np.array([getattr(p, name) for p in patients]) for name in ("age", "survival_days"))
    is_sooner = days[:, None] < days
    assert best_concordance(("age",)) == pytest.approx(np.mean((ages[:, None] > ages)[is_sooner]), abs=0.02)


def test_what_the_rule_does_not_know() -> None:
    with pytest.raises(KnobError, match="sex is nothing that the rule knows"):
        best_survival_accuracy((300, 520), knows=("age", "sex"))
