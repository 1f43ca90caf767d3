"""Values between the pixels of many pictures."""

from __future__ import annotations

import numpy as np

from common.copies.sampling import is_inside, sample

PICTURES = np.int8([[[0, 10, 99], [20, 50, 99]], [[1, 2, 3], [4, 5, 6]]])
SHAPES = np.array([[2, 2], [2, 3]])


def test_bilinear_within_and_zero_beyond_each_picture() -> None:
    places = np.float32([[[0, 0.5, 1, 0], [0.5, 0.5, 1, 1.5]], [[0, 0.5, 1, -0.1], [0.5, 0.5, 2, 1]]])
    # The first picture ends after its second column: 1.5 lies beyond it, whatever is stored there.
    assert np.allclose(sample(PICTURES, SHAPES, places), [[5, 20, 50, 0], [1.5, 3, 6, 0]])


def test_pictures_are_chosen_and_channels_stay_apart() -> None:
    twice = np.stack([PICTURES, -PICTURES.astype(np.float32)], axis=-1)
    chosen = np.array([1, 1, 0])
    found = sample(twice, SHAPES[chosen], np.tile(np.float32([[0.5], [0.5]]), (3, 1, 1)), chosen)
    assert np.allclose(found[:, 0], [[3, -3], [3, -3], [20, -20]])


def test_a_rim_does_not_count() -> None:
    places = np.float32([[[0, 1, 8], [5, 5, 5]]])
    assert is_inside(places, np.array([[10, 10]]), 1).tolist() == [[False, True, True]]
    assert is_inside(places + 3, np.array([[10, 10]]), -2).tolist() == [[True, True, True]]
