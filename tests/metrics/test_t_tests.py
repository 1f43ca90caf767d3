"""P2's table 1: the printed t, and the ones that its folds give."""

from __future__ import annotations

import math

import pytest
from scipy.stats import ttest_ind_from_stats

from common.metrics import compare_folds, corrected_resampled_t, paired_t, two_sample_t

A, B = [97.94, 97.34, 97.70], [98.26, 97.78, 97.25]


def test_the_printed_t_is_a_two_sample_test_of_rounded_numbers() -> None:
    """0.1 / sqrt((0.287² + 0.328²) / 3) = 0.3974; the printed 0.3977 lies within the rounding of the deviations."""
    found = ttest_ind_from_stats(97.76, 0.328, 3, 97.66, 0.287, 3)
    assert found.statistic == pytest.approx(0.3974, abs=1e-4)
    assert found.pvalue > 0.7
    lowest = ttest_ind_from_stats(97.76, 0.3285, 3, 97.66, 0.2875, 3).statistic
    highest = ttest_ind_from_stats(97.76, 0.3275, 3, 97.66, 0.2865, 3).statistic
    assert lowest < 0.3977 < highest


def test_a_two_sample_test_of_its_folds_is_another_number() -> None:
    """Means 97.66 and 97.763, variances 0.0912 and 0.25523: -0.10333 / sqrt(0.34643 / 3)."""
    found = two_sample_t(A, B)
    assert found.statistic == pytest.approx(-0.10333 / math.sqrt(0.34643 / 3), abs=1e-4)
    assert found.freedom == 4


def test_the_paired_test_has_the_other_sign_of_what_was_printed() -> None:
    """Differences -0.32, -0.44, 0.45: mean -0.10333, variance 0.23323, so t = -0.10333 / sqrt(0.23323 / 3)."""
    found = paired_t(A, B)
    assert found.statistic == pytest.approx(-0.3706, abs=1e-4)
    assert found.freedom == 2
    assert found.p_value == pytest.approx(0.7465, abs=1e-4)


def test_the_corrected_test_is_less_sure_than_the_paired_one() -> None:
    """A fold judges half as many images as it trains on: -0.10333 / sqrt((1/3 + 1/2) * 0.23323)."""
    found = corrected_resampled_t(A, B, test_to_train=1 / 2)
    assert found.statistic == pytest.approx(-0.10333 / math.sqrt(5 / 6 * 0.23323), abs=1e-4)
    assert found.statistic == pytest.approx(-0.2344, abs=1e-4)
    assert found.freedom == 2
    assert found.p_value == pytest.approx(0.8365, abs=1e-4)
    assert found.p_value > paired_t(A, B).p_value


def test_without_test_images_there_is_nothing_to_correct() -> None:
    plain, corrected = paired_t(A, B), corrected_resampled_t(A, B, test_to_train=0)
    assert corrected.statistic == pytest.approx(plain.statistic)
    assert corrected.p_value == pytest.approx(plain.p_value)


def test_all_three_of_the_same_folds() -> None:
    found = compare_folds(A, B)
    assert [round(test.statistic, 3) for test in found.values()] == [-0.304, -0.371, -0.234]
    assert list(found)[-1] == "corrected resampled t"


def test_folds_that_do_not_vary_tell_nothing() -> None:
    found = compare_folds([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    assert all(math.isnan(test.statistic) and math.isnan(test.p_value) for test in found.values())


@pytest.mark.parametrize(("first", "second"), [([1.0, 2.0], [1.0]), ([1.0], [2.0])])
def test_other_or_too_few_folds_are_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="same two folds"):
        compare_folds(first, second)
