"""Our figures against those of public programs for the same few numbers, which were run once and written down."""

from __future__ import annotations

import numpy as np
import pytest

from common.metrics import concordance_index, corrected_resampled_t, delong_test


def test_concordance_is_that_of_lifelines_and_scikit_survival() -> None:
    """lifelines 0.30.3 and scikit-survival 0.28.0: .8485, of 27 pairs in order, 4 not, 2 ties of risk."""
    days = np.array([5, 8, 8, 12, 15, 15, 21, 30, 30, 44])
    died = np.array([1, 0, 1, 1, 1, 0, 1, 0, 1, 0], dtype=bool)
    risk = np.array([2.0, 1.5, 1.5, 0.7, 1.9, 0.2, 0.7, 0.1, 0.9, 0.3])
    assert concordance_index(days, died, risk) == pytest.approx(0.8484848484848485)
    assert pytest.approx(0.8484848484848485) == (27 + 2 / 2) / (27 + 4 + 2)


def test_the_variance_of_an_area_is_that_of_a_public_program() -> None:
    """github.com/yandexdataschool/roc_comparison, delong_roc_variance: with ties in both classes."""
    truth = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0])
    score = np.array([0.9, 0.8, 0.7, 0.55, 0.3, 0.6, 0.5, 0.4, 0.4, 0.2, 0.1, 0.4, 0.85, 0.05])
    found = delong_test(truth, score)
    assert found.area == pytest.approx(0.7291666666666667)
    assert found.error**2 == pytest.approx(0.020411706349206346)


def test_the_corrected_t_is_that_of_scikit_learns_example() -> None:
    """The functions of "Statistical comparison of models using grid search", 90 and 10 cases; one-sided p .04454."""
    differences = [0.02, 0.01, -0.005, 0.03, 0.015, 0.0, 0.025, -0.01, 0.02, 0.01]
    found = corrected_resampled_t(differences, [0.0] * 10, test_to_train=10 / 90)
    assert found.statistic == pytest.approx(1.9056702094980704)
    assert found.p_value == pytest.approx(2 * 0.04453830028297204)
