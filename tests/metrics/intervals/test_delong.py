from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from common.metrics import chance_interval, delong_test
from common.metrics.intervals import delong as module


def test_an_interval_by_hand() -> None:
    """Placements 1/2 and 1, 1 and 1/2: the variance is 1/8 in either class, and 1/8 of the mean of both.

    Two patients of each class leave two degrees of freedom, for which Student's t is 4.3027: on the scale of log-odds
    the interval is log(3) +- 4.3027 * sqrt(1/8) / (3/4 * 1/4).
    """
    found = delong_test(np.array([1, 1, 0, 0]), np.array([3.0, 5.0, 1.0, 4.0]))
    assert found.area == 0.75
    assert found.error == pytest.approx(math.sqrt(1 / 8))
    reach = 4.302653 * math.sqrt(1 / 8) / (3 / 16)
    assert found.low == pytest.approx(1 / (1 + math.exp(-math.log(3) + reach)))
    assert found.high == pytest.approx(1 / (1 + math.exp(-math.log(3) - reach)))
    assert found.p_value == pytest.approx(0.5528, abs=1e-4)  # t = 0.7071


def test_a_tie_is_half_in_order() -> None:
    """Placements 1/2 and 1, 3/4 and 3/4: a variance of 1/8 in one class and none in the other."""
    found = delong_test(np.array([1, 1, 0, 0]), np.array([1.0, 2.0, 1.0, 1.0]))
    assert found.area == 0.75
    assert found.error == pytest.approx(math.sqrt(1 / 8 / 2))


def test_the_area_is_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    truth, score = rng.random(60) < 0.4, rng.integers(0, 9, 60).astype(float)
    assert delong_test(truth, score).area == pytest.approx(roc_auc_score(truth, score))
    assert delong_test(truth, -score).area == pytest.approx(1 - roc_auc_score(truth, score))


def test_copies_of_a_patient_make_nothing_surer() -> None:
    """Obuchowski's: each patient three times over is as good as once; taken as nine patients it would look surer."""
    rng = np.random.default_rng(2)
    truth = np.arange(30) % 2
    score = rng.normal(size=30) + truth
    once = delong_test(truth, score)
    whose = np.repeat(np.arange(30), 3)
    thrice = delong_test(np.repeat(truth, 3), np.repeat(score, 3), whose)
    assert (thrice.area, thrice.error) == (pytest.approx(once.area), pytest.approx(once.error))
    assert delong_test(np.repeat(truth, 3), np.repeat(score, 3)).error < 0.65 * once.error


def test_a_subject_with_both_classes_adds_its_covariance() -> None:
    """Two eyes each of two subjects: the sums are -1/4 and 1/4 with each other's, S = 1/8 three times over."""
    truth, score = np.array([1, 0, 1, 0]), np.array([3.0, 4.0, 5.0, 1.0])
    found = delong_test(truth, score, ["a", "a", "b", "b"])
    assert found.error == pytest.approx(math.sqrt(1 / 8 / 2 + 1 / 8 / 2 + 2 * (1 / 8) / 2))


def test_under_chance_about_one_in_twenty_is_significant() -> None:
    rng = np.random.default_rng(3)
    truth = np.arange(60) % 2
    found = [delong_test(truth, rng.normal(size=60)).p_value < 0.05 for _ in range(1000)]
    assert 0.03 < np.mean(found) < 0.08


@pytest.mark.parametrize(
    ("truth", "score"), [([1, 1], [1.0, 2.0]), ([1, 0, 0], [2.0, 1.0, 0.0]), ([1, 1, 0, 0], [4.0, 3.0, 2.0, 1.0])]
)
def test_where_no_error_can_be_estimated_nothing_is_said(truth: list[int], score: list[float]) -> None:
    """One class, one patient of a class, or all pairs in order: an interval of no width would be a lie."""
    found = delong_test(np.array(truth), np.array(score))
    assert all(math.isnan(value) for value in (found.low, found.high, found.p_value))


def test_chance_of_few_patients_by_counting_all_orders() -> None:
    """Of seven patients in order, any three are as probable to be the ones of the class."""
    areas = np.array([roc_auc_score(np.isin(range(7), three), range(7)) for three in combinations(range(7), 3)])
    lowest, highest = chance_interval([1, 1, 1, 0, 0, 0, 0], 0.8)
    assert (areas < lowest).mean() <= 0.1 < (areas <= lowest).mean()
    assert highest == pytest.approx(1 - lowest)


def test_so_few_patients_cannot_leave_chance() -> None:
    assert chance_interval([True, True, False, False], 0.999) == (0, 1)
    assert all(math.isnan(bound) for bound in chance_interval([True, True]))


def test_many_patients_are_nearly_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.arange(180) % 2
    exact = chance_interval(truth)
    monkeypatch.setattr(module, "MOST_EXACT", 0)
    assert chance_interval(truth) == pytest.approx(exact, abs=0.002)
    assert chance_interval(truth)[0] < exact[0]
