from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from common.metrics.roc import GRID, precision_band, precision_curves, roc_band, roc_curves


def test_of_two_classes_the_second_has_a_curve() -> None:
    of_second = np.array([0.1, 0.8, 0.7, 0.9])
    curves = roc_curves(np.array([0, 0, 1, 1]), np.stack([1 - of_second, of_second], axis=1), "abcd")
    assert list(curves) == [1]
    assert curves[1].area == 0.75


def test_a_class_that_nobody_has_gets_no_curve() -> None:
    assert list(roc_curves(np.array([0, 1, 1]), np.eye(3), "abc")) == [0, 1]


def test_the_band_holds_the_curve_and_narrows_with_patients() -> None:
    def band(patients: int) -> tuple[float, np.ndarray]:
        rng = np.random.default_rng(4)
        truth = rng.random(patients) < 0.5
        score = rng.normal(size=patients) + truth
        found = roc_band(truth, score, [str(number) for number in range(patients)])
        on_grid = np.interp(GRID, found.false, found.true)
        assert (found.low <= on_grid + 1e-9).all()
        assert (on_grid <= found.high + 1e-9).all()
        assert found.area == pytest.approx(roc_auc_score(truth, score))
        return float((found.high - found.low).mean()), found.low

    assert band(400)[0] < 0.5 * band(50)[0]


def test_slices_of_a_patient_are_drawn_together() -> None:
    """Ten slices of each of ten patients: as wide a band as of the ten patients alone."""
    rng = np.random.default_rng(5)
    truth, whose = np.arange(10) % 2 == 1, np.arange(10)
    score = rng.normal(size=10) + truth
    once = roc_band(truth, score, whose.astype(str))
    tenfold = roc_band(np.repeat(truth, 10), np.repeat(score, 10), np.repeat(whose, 10).astype(str))
    np.testing.assert_allclose(tenfold.low, once.low)
    np.testing.assert_allclose(tenfold.high, once.high)


def test_a_single_patient_has_no_band() -> None:
    found = roc_band(np.array([True, False]), np.array([0.9, 0.1]), ["a", "a"])
    assert found.area == 1
    assert len(roc_band(np.array([True, False]), np.array([0.9, 0.1]), ["a", "a"]).low) == len(GRID)


def test_the_average_precision_is_the_area_under_the_steps() -> None:
    """Ranked true, false, true: precision 1 up to recall 1/2, then 2/3: 1/2 + 1/3."""
    found = precision_band(np.array([True, False, True]), np.array([0.9, 0.8, 0.7]), "abc")
    assert found.average == pytest.approx(5 / 6)
    assert found.share == pytest.approx(2 / 3)
    assert found.recall.tolist() == [0, 0.5, 0.5, 1]
    assert found.precision.tolist() == pytest.approx([1, 1, 0.5, 2 / 3])


def test_the_band_of_a_perfect_ranking_is_at_the_top_and_of_a_wrong_one_below() -> None:
    truth = np.array([False] * 6 + [True] * 6)
    names = [str(place) for place in range(12)]
    perfect = precision_band(truth, np.arange(12.0), names)
    assert (perfect.low.min(), perfect.high.max()) == (1, 1)
    wrong = precision_band(truth, -np.arange(12.0), names)
    assert np.all(wrong.high[1:] < 1)  # at recall 0 it is 1 by convention
    assert np.all(wrong.low <= wrong.high)


def test_precision_is_told_of_the_classes_that_roc_is() -> None:
    truth, probabilities = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    assert precision_curves(truth, probabilities, "abc").keys() == {1}
    assert precision_curves(np.zeros(3, dtype=int), probabilities, "abc") == {}
