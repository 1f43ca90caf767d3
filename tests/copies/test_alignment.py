"""Maps that are known are found, and what was done to a picture is told in words."""

from __future__ import annotations

import numpy as np
import pytest

from common.copies.alignment import Pairs, Pictures, correlate_details, describe_map, fit_maps, masked_correlation
from common.copies.fingerprints import fingerprint_image
from tests.copies.near_copies import make_slice

SHIFT = np.array([[1.0, 0.0, -6.0], [0.0, 1.0, 4.0]])


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """A slice, its part that begins 6 pixels lower and 4 further left, and another slice."""
    large = np.asarray(make_slice(1, 150, 150), dtype=np.float32)
    images = large[10:128, 14:142], large[16:134, 10:138], np.asarray(make_slice(2, 128, 110), dtype=np.float32)
    prints = [fingerprint_image(image) for image in images]
    return Pictures(np.stack([made.picture for made in prints]), np.array([made.shape for made in prints]))


def pair(first: int, second: int, shift: np.ndarray) -> Pairs:
    return Pairs(np.array([first]), np.array([second]), shift[None])


def test_the_right_map_correlates_and_a_wrong_one_does_not(pictures: Pictures) -> None:
    score, coverage = correlate_details(pictures, pair(0, 1, SHIFT))
    assert score[0] > 0.95
    assert np.all((coverage > 0.9) & (coverage < 1))
    assert correlate_details(pictures, pair(0, 1, SHIFT + np.array([[0, 0, 8], [0, 0, 0]])))[0] < 0.5


def test_a_guess_that_is_some_pixels_off_is_mended(pictures: Pictures) -> None:
    off = np.array([[1.04, 0.03, -8.0], [-0.03, 1.02, 6.0]])
    maps, scores, _ = fit_maps(pictures, pair(0, 1, off), np.array([[59.0, 64.0]]), np.array([40.0]))
    assert scores[0] > 0.95
    assert np.abs(maps[0] - SHIFT).max() < 0.3


def test_pairs_that_fail_are_told_from_those_that_do_not_in_one_call(pictures: Pictures) -> None:
    pairs = Pairs(np.array([0, 0, 1]), np.array([2, 1, 2]), np.stack([np.eye(2, 3), SHIFT, np.zeros((2, 3))]))
    _, scores, _ = fit_maps(pictures, pairs, np.full((3, 2), 60.0), np.full(3, 40.0))
    assert scores[0] == scores[2] == -1
    assert scores[1] > 0.95


def test_only_what_lies_within_counts() -> None:
    one, two = np.float32([[1, 2, 3, 90]]), np.float32([[2, 4, 7, -90]])
    inside = np.array([[True, True, True, False]])
    # Deviations -1, 0, 1 and -7/3, -1/3, 8/3: 5 / sqrt(2 * 38/3).
    assert masked_correlation(one, two, inside) == pytest.approx(5 / np.sqrt(2 * 38 / 3), abs=1e-5)


@pytest.mark.parametrize(
    ("found", "coverage", "words"),
    [
        ([[1, 0, 0], [0, 1, 0]], (1, 1), "same position"),
        ([[0, 1, 0], [-1, 0, 127]], (1, 1), "rotated 270°"),
        ([[1, 0, 0], [0, -1, 127]], (1, 1), "flipped left to right"),
        ([[-1, 0, 127], [0, 1, 0]], (1, 0.6), "flipped top to bottom, cropped"),
    ],
)
def test_words(found: list[list[float]], coverage: tuple[float, float], words: str) -> None:
    assert describe_map(np.array(found, dtype=float), np.array(coverage)) == words
