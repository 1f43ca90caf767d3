from __future__ import annotations

import math
import random
import warnings

import numpy as np
import pytest

from common.metrics.bootstrap import bootstrap_interval, summarise


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    """For 400 standard normal values the 95 % interval is about 2 * 1.96 / sqrt(400) = .196 wide."""
    values = np.random.default_rng(0).normal(size=400)
    found = bootstrap_interval(values)
    assert found.estimate == pytest.approx(values.mean())
    assert found.low < found.estimate < found.high
    assert found.high - found.low == pytest.approx(0.196, rel=0.12)
    assert found.n == 400


def test_the_bootstrap_of_two_values_is_known() -> None:
    """Means of two draws from {0, 1}: 0, .5, .5, 1, a quarter each, so both ends are reached."""
    found = bootstrap_interval([0.0, 1.0])
    assert (found.low, found.estimate, found.high) == (0.0, 0.5, 1.0)


def test_a_higher_level_is_wider_and_the_median_is_another_statistic() -> None:
    values = [0.0, 0.1, 0.2, 0.3, 5.0, 0.25, 0.15, 0.05]
    narrow, wide = bootstrap_interval(values, level=0.5), bootstrap_interval(values, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert bootstrap_interval(values, "median").estimate == pytest.approx(0.175)
    with pytest.raises(ValueError, match="'mode' is none of mean, median"):
        bootstrap_interval(values, "mode")


def test_the_seed_decides_and_the_order_does_not() -> None:
    values = {f"P{number}": math.sin(number) for number in range(30)}
    shuffled = dict(random.Random(0).sample(sorted(values.items()), 30))
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(shuffled, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_patients_without_a_value_are_left_out() -> None:
    assert bootstrap_interval([0.1, math.nan, 0.4, 0.7]) == bootstrap_interval([0.1, 0.4, 0.7])


def test_of_one_patient_only_the_estimate_is_known() -> None:
    found = bootstrap_interval([0.8])
    assert (found.estimate, found.n) == (0.8, 1)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_nobody_has_no_mean() -> None:
    found = summarise([math.nan])
    assert found["n"] == 0
    assert all(math.isnan(found[name]) for name in ("mean", "median", "low", "high"))


def test_equal_values_have_an_interval_of_no_width_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bootstrap_interval([0.5, 0.5, 0.5])
    assert (found.low, found.high) == (0.5, 0.5)


def test_a_summary_holds_mean_median_and_interval() -> None:
    found = summarise({"A": 0.2, "B": 0.4, "C": 0.9, "D": math.nan})
    interval = bootstrap_interval([0.2, 0.4, 0.9])
    assert found == {
        "mean": pytest.approx(0.5),
        "median": pytest.approx(0.4),
        "low": interval.low,
        "high": interval.high,
        "n": 3,
    }
