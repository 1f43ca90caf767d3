"""The jackknife against theory, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import sem

from common.metrics.intervals.left_out import (
    Error,
    jackknife_error,
    leave_one_out,
    share_interval,
    summarise_right,
    welch_freedom,
)


def test_a_patient_is_left_out_with_all_rows() -> None:
    counts = np.vstack(list(leave_one_out(["b", "a", "b"])))
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0]]  # without a, without b


def test_many_patients_are_left_out_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.metrics.intervals.left_out.LARGEST_BLOCK", 2 * 5)
    parts = list(leave_one_out(list("abcde")))
    assert [len(part) for part in parts] == [2, 2, 1]
    assert np.vstack(parts).tolist() == (1 - np.eye(5)).tolist()


def test_the_error_of_a_mean_is_the_known_one() -> None:
    """The mean of n values without one of them is (sum - value) / (n - 1): the jackknife gives s / sqrt(n)."""
    values = np.array([0.1, 0.4, 0.5, 0.9, 0.95])
    found = jackknife_error((values.sum() - values) / 4)
    assert found.error == pytest.approx(sem(values))
    assert found.freedom == 4


def test_the_freedom_is_that_of_welch() -> None:
    """Two groups of 3 and 11 that add the same: 4 / (1 / 2 + 1 / 10)."""
    assert welch_freedom([1, 1], [3, 11], 14) == pytest.approx(4 / 0.6)
    assert welch_freedom([1, 1e-9], [3, 11], 14) == pytest.approx(2)
    assert welch_freedom([0, 0], [3, 11], 14) == 13


def test_a_measure_that_hangs_on_one_patient_has_no_error() -> None:
    assert math.isnan(jackknife_error(np.array([0.5, math.nan, 0.6])).error)
    assert math.isnan(jackknife_error(np.array([0.5])).error)


def test_the_interval_is_symmetric_in_log_odds() -> None:
    """.9 has odds of 9, and an error of .09 is one of 1 in log-odds: 1.96 of them are a factor of exp(1.96)."""
    low, high = share_interval(0.9, Error(0.09, 1e9), 100)
    factor = math.exp(1.959964)
    assert low / (1 - low) == pytest.approx(9 / factor)
    assert high / (1 - high) == pytest.approx(9 * factor)


def test_what_cannot_vary_has_an_interval_of_no_width() -> None:
    assert share_interval(0.5, Error(0.0, 9), 10) == pytest.approx((0.5, 0.5))


def test_a_share_of_rows_is_that_of_patients() -> None:
    """Ten rows of each of four patients: as sure as four rows, not as forty."""
    right = np.array([True, False, True, False])
    once = summarise_right(list("abcd"), right)
    often = summarise_right([name for name in "abcd" for _ in range(10)], np.repeat(right, 10))
    assert often == pytest.approx(once)
    assert math.isnan(summarise_right([], np.empty(0, bool))["mean"])
