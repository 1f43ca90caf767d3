from __future__ import annotations

import numpy as np
import pytest

from common.metrics import calibration_error, judge_calibration
from common.metrics.calibration import reliability


def two(of_second: np.ndarray) -> np.ndarray:
    return np.stack([1 - of_second, of_second], axis=1)


def names(count: int) -> list[str]:
    return [f"P{number:04}" for number in range(count)]


def test_an_error_by_hand() -> None:
    """Two at 0.05 of whom one has it, one at 0.55 who has not, one at 0.95 who has: (2 * 0.45 + 0.55 + 0.05) / 4."""
    found = calibration_error(np.array([0, 1, 0, 1]), two(np.array([0.05, 0.05, 0.55, 0.95])))
    assert found == pytest.approx((2 * 0.45 + 0.55 + 0.05) / 4)


def test_errors_in_one_bin_cancel() -> None:
    assert calibration_error(np.array([0, 1]), two(np.array([0.5, 0.5]))) == pytest.approx(0)


def test_of_three_classes_it_is_the_mean() -> None:
    """Class by class: 0 and 1 are off by 0.4 in one of two, the third by nothing."""
    answers = np.array([[0.6, 0.4, 0.0], [0.0, 1.0, 0.0]])
    assert calibration_error(np.array([0, 1]), answers) == pytest.approx((0.2 + 0.2 + 0) / 3)


def test_certain_and_right_is_perfect() -> None:
    assert calibration_error(np.array([0, 1, 2]), np.eye(3)) == 0


def test_chance_is_told_from_overconfidence() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(300)
    truth = (rng.random(300) < probability).astype(int)
    honest = judge_calibration(truth, two(probability), names(300))
    assert honest.error < honest.of_calibrated < 0.15
    assert "not shown to be miscalibrated" in honest.sentence
    sure = judge_calibration(truth, two((probability > 0.5).astype(float)), names(300))
    assert sure.error > sure.of_calibrated
    assert sure.sentence.endswith("it is miscalibrated.")


def test_copies_of_a_patient_make_nothing_surer() -> None:
    rng = np.random.default_rng(0)
    probability = rng.random(40)
    truth = (rng.random(40) < 0.5).astype(int)
    once = judge_calibration(truth, two(probability), names(40))
    both = judge_calibration(np.repeat(truth, 2), two(np.repeat(probability, 2)), np.repeat(names(40), 2))
    assert both == once


def test_points_are_the_bins_that_hold_somebody() -> None:
    predicted, observed = reliability(np.array([False, True, True]), np.array([0.02, 0.04, 1.0]))
    assert predicted == pytest.approx([0.03, 1.0])
    assert observed == pytest.approx([0.5, 1.0])
    assert reliability(np.array([True, True]), np.array([0.1, 0.9]))[1] == pytest.approx([1, 1])
    assert reliability(np.array([False]), np.array([0.1]))[1] == pytest.approx([0])
