from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from common.metrics import brats_survival, concordance_index, predict_days, summarise_survival
from common.metrics.intervals.left_out import summarise_right
from common.metrics.survival_measures import censoring_weights, class_shares


def test_concordance_by_hand() -> None:
    """Days 100, 200 (alive), 300, 400: the second can only be compared with who died before day 200."""
    days, died = np.array([100, 200, 300, 400]), np.array([True, False, True, True])
    # pairs that can be told: 100 < 200, 100 < 300, 100 < 400, 300 < 400
    assert concordance_index(days, died, np.array([4, 3, 2, 1])) == 1
    assert concordance_index(days, died, np.array([1, 2, 3, 4])) == 0
    assert concordance_index(days, died, np.array([3, 9, 2, 2])) == pytest.approx((0 + 1 + 1 + 0.5) / 4)


def test_of_equal_days_only_death_against_survival_can_be_told() -> None:
    days, risk = np.array([100, 100]), np.array([2, 1])
    assert math.isnan(concordance_index(days, np.array([True, True]), risk))
    assert concordance_index(days, np.array([True, False]), risk) == 1
    assert math.isnan(concordance_index(days, np.array([False, False]), risk))


def test_concordance_agrees_with_counting_pair_by_pair() -> None:
    rng = np.random.default_rng(0)
    days, died, risk = rng.integers(1, 30, 40), rng.random(40) < 0.7, rng.integers(0, 5, 40)
    scores = []
    for first, second in itertools.permutations(range(40), 2):
        later = days[first] < days[second] or (days[first] == days[second] and not died[second])
        if died[first] and later:
            scores.append(np.sign(int(risk[first]) - int(risk[second])) / 2 + 0.5)
    assert concordance_index(days, died, risk) == pytest.approx(np.mean(scores))


def test_the_measures_of_brats_by_hand() -> None:
    """299 days are short, 300 and 450 mid, 451 long."""
    found = brats_survival(np.array([299, 300, 450, 451]), np.array([200.0, 310.0, 500.0, 451.0]))
    assert found["accuracy"] == 3 / 4
    squared = np.array([99**2, 10**2, 50**2, 0])
    assert (found["mse"], found["median_se"]) == pytest.approx((squared.mean(), (100 + 2500) / 2))
    assert found["std_se"] == pytest.approx(np.sqrt(((squared - squared.mean()) ** 2).mean()))
    assert found["spearman"] == pytest.approx(1 - 6 * 2 / (4 * 15))  # ranks 1 2 3 4 and 1 2 4 3


def test_the_measures_of_brats_are_nan_where_undefined() -> None:
    assert math.isnan(brats_survival(np.array([100, 200]), np.array([5.0, 5.0]))["spearman"])
    assert all(math.isnan(value) for value in brats_survival(np.empty(0), np.empty(0)).values())


def test_predicted_days_are_expected_medians() -> None:
    shares = np.array([[1, 0, 0], [0.5, 0.25, 0.25]])
    assert predict_days(shares, (100, 400, 800)).tolist() == [100, 350]


@pytest.fixture
def rows() -> pd.DataFrame:
    days = np.arange(50.0, 1050, 50)
    alive = days % 500 == 0
    predicted = days + np.tile([-90, 90], 10)
    return pd.DataFrame({"subject": [f"P{day:04g}" for day in days], "days": days, "alive": alive}).assign(
        predicted_days=predicted
    )


def test_a_summary_has_intervals_over_patients(rows: pd.DataFrame) -> None:
    found = summarise_survival(rows, brats=True)
    expected = concordance_index(rows["days"].to_numpy(), ~rows["alive"].to_numpy(), -rows["predicted_days"].to_numpy())
    assert found["concordance"]["mean"] == pytest.approx(expected)
    assert found["concordance"]["low"] < expected < found["concordance"]["high"] <= 1
    assert (found["concordance"]["n"], found["brats_mse"]["n"]) == (20, 18)  # two are alive: no error in days
    assert found["brats_mse"]["mean"] == found["brats_mse"]["low"] == found["brats_mse"]["high"] == 90**2


def test_the_measures_of_brats_are_an_option(rows: pd.DataFrame) -> None:
    assert list(summarise_survival(rows)) == ["concordance"]


def test_patients_who_are_all_alive_have_no_measure(rows: pd.DataFrame) -> None:
    found = summarise_survival(rows.assign(alive=True), brats=True)
    assert all(math.isnan(value["mean"]) and value["n"] == 0 for value in found.values())


def test_shares_of_classes_with_censored_patients_by_hand() -> None:
    """Days 5, 8+, 8, 10: S falls to 3/4 at 5, to 3/4 of 2/3 at 8, to 0 at 10; a death on a threshold is beyond it."""
    days, died = np.array([5, 8, 8, 10]), np.array([True, False, True, True])
    assert class_shares(days, died, (6, 9)).tolist() == pytest.approx([1 / 4, 1 / 4, 1 / 2])
    assert class_shares(days, died, (5, 10)).tolist() == pytest.approx([0, 1 / 2, 1 / 2])
    assert class_shares(days, np.ones(4, bool), (8,)).tolist() == pytest.approx([1 / 4, 3 / 4])


def test_a_patient_stands_for_those_who_were_lost_before() -> None:
    """Of four at risk on day 20 one is lost: who is seen later counts 4/3, until the last class begins."""
    days, died = np.array([10.0, 20, 30, 50, 70]), np.array([True, False, True, False, True])
    weights = censoring_weights(np.array([10.0, 30, 50, 70]), days, died, horizon=40)
    assert weights.tolist() == pytest.approx([1, 4 / 3, 4 / 3, 4 / 3])
    assert weights.sum() == pytest.approx(len(days))


def test_who_dies_on_a_day_is_not_lost_on_it() -> None:
    """Days 30, 30+, 60+, 60, 90: of four who may be lost on day 30 one is; of two on day 60 one is."""
    days, died = np.array([30.0, 30, 60, 60, 90]), np.array([True, False, False, True, True])
    weights = censoring_weights(days[died], days, died, horizon=90)
    assert weights.tolist() == pytest.approx([1, 4 / 3, 4 / 3 * 2])
    shares = np.bincount([0, 1, 2], weights) / len(days)
    assert shares.tolist() == pytest.approx(class_shares(days, died, (60, 90)).tolist())


def test_weights_undo_the_bias_of_censoring() -> None:
    """A classifier that is right for all short survivors and for no long one; half of the long ones are lost early."""
    rng = np.random.default_rng(0)
    death, lost = rng.exponential(400, 4000), rng.uniform(0, 700, 4000)
    died, days = death <= lost, np.minimum(death, lost)
    known = died | (days >= 365)
    is_right = days[known] < 365
    truth = np.mean(death < 365)
    assert is_right.mean() > truth + 0.1
    weights = censoring_weights(days[known], days, died, horizon=365)
    found = summarise_right(np.arange(known.sum()).astype(str).tolist(), is_right, weights)
    assert found["mean"] == pytest.approx(truth, abs=0.02)
    assert found["low"] < truth < found["high"]
    assert class_shares(days, died, (365,))[0] == pytest.approx(truth, abs=0.02)
