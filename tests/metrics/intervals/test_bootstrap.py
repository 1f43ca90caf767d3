from __future__ import annotations

import math
import random
import warnings

import numpy as np
import pytest

from common.metrics.intervals.bootstrap import bootstrap_interval, summarise, tails


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    """For 400 standard normal values the 95 % interval is about 2 * 1.96 / sqrt(400) = .196 wide."""
    values = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap_interval(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(0.196, rel=0.12)


def test_the_bootstrap_of_two_values_is_known() -> None:
    """Means of two draws from {0, 1}: 0, .5, .5, 1, a quarter each, so both ends are reached."""
    assert bootstrap_interval([0.0, 1.0]) == (0.0, 1.0)


def test_a_higher_level_is_wider() -> None:
    values = [0.0, 0.1, 0.2, 0.3, 5.0, 0.25, 0.15, 0.05]
    narrow, wide = bootstrap_interval(values, level=0.5), bootstrap_interval(values, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_few_patients_move_the_percentiles_outwards() -> None:
    """Student's 2.2622 for ten patients, times the root of 10 / 9, is 2.3846 standard deviations: a tail of .00855."""
    assert tails(10) == pytest.approx(0.00855, abs=1e-5)
    assert tails(10_000) == pytest.approx(0.025, abs=1e-4)
    assert tails(2) == 0.0005


def test_the_interval_of_failures_reaches_further_down_than_up() -> None:
    """Two of 30 volumes failed: what is not symmetric has no symmetric interval."""
    values = np.array([0.1, 0.2, *np.linspace(0.85, 0.95, 28)])
    low, high = bootstrap_interval(values)
    assert values.mean() - low > 1.5 * (high - values.mean())


def test_the_seed_decides_and_the_order_does_not() -> None:
    values = {f"P{number}": math.sin(number) for number in range(30)}
    shuffled = dict(random.Random(0).sample(sorted(values.items()), 30))
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(shuffled, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_patients_without_a_value_are_left_out() -> None:
    assert bootstrap_interval([0.1, math.nan, 0.4, 0.7]) == bootstrap_interval([0.1, 0.4, 0.7])


def test_of_one_patient_only_the_estimate_is_known() -> None:
    found = summarise([0.8])
    assert (found["mean"], found["n"]) == (0.8, 1)
    assert math.isnan(found["low"])
    assert math.isnan(found["high"])


def test_nobody_has_no_mean() -> None:
    found = summarise([math.nan])
    assert found["n"] == 0
    assert all(math.isnan(found[name]) for name in ("mean", "median", "low", "high"))


def test_equal_values_have_an_interval_of_no_width_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bootstrap_interval([0.5, 0.5, 0.5])
    assert found == (0.5, 0.5)


def test_a_summary_holds_mean_median_and_interval() -> None:
    found = summarise({"A": 0.2, "B": 0.4, "C": 0.9, "D": math.nan})
    low, high = bootstrap_interval([0.2, 0.4, 0.9])
    assert found == {
        "mean": pytest.approx(0.5),
        "median": pytest.approx(0.4),
        "low": low,
        "high": high,
        "n": 3,
    }
