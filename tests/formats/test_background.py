from __future__ import annotations

import numpy as np
import pytest

from common.formats.background import count_inner_faults, find_background, zero_background

BRAIN = np.zeros((9, 10, 11), np.int16)
BRAIN[2:7, 3:8, 0:9] = np.random.default_rng(0).integers(1, 900, (5, 5, 9))  # it touches one face


def as_z_scores(array: np.ndarray) -> np.ndarray:
    return ((array - array.mean()) / array.std()).astype(np.float32)


def test_a_background_of_zero_costs_no_copy():
    assert find_background(BRAIN) == 0
    assert zero_background(BRAIN) is BRAIN


@pytest.mark.parametrize("lowest", [-1024, 30000, 7])
def test_a_background_of_another_whole_number(lowest):
    stored = (BRAIN.astype(np.int32) + lowest).astype(np.int32)
    assert find_background(stored) == lowest
    np.testing.assert_array_equal(zero_background(stored), BRAIN)


def test_values_beyond_the_type_do_not_wrap_around():
    stored = np.where(BRAIN == 0, 32767, BRAIN.astype(int) - 32768).astype(np.int16)
    moved = zero_background(stored)
    np.testing.assert_array_equal(moved == 0, BRAIN == 0)
    assert moved.min() == BRAIN[BRAIN > 0].min().astype(int) - 32768 - 32767


def test_z_scores_of_the_whole_field():
    stored = as_z_scores(BRAIN)
    moved = zero_background(stored)
    np.testing.assert_array_equal(moved == 0, BRAIN == 0)
    np.testing.assert_allclose(moved * BRAIN.std(), BRAIN, atol=1e-2)


def test_a_constant_that_resampling_has_blurred_in_its_last_digits():
    noise = np.random.default_rng(1).choice([-1, 0, 1], BRAIN.shape) * np.float32(2e-7)
    stored = as_z_scores(BRAIN) + np.where(BRAIN == 0, noise, 0).astype(np.float32)
    np.testing.assert_array_equal(zero_background(stored) == 0, BRAIN == 0)


def test_nan_around_the_brain_is_background_and_within_it_a_fault():
    stored = np.where(BRAIN == 0, np.nan, BRAIN).astype(np.float32)
    assert np.isnan(find_background(stored))
    assert count_inner_faults(stored) == 0
    np.testing.assert_array_equal(zero_background(stored), BRAIN)
    stored[4, 5, 4:6] = np.nan
    assert count_inner_faults(stored) == 2
    stored[0, 0, 0] = np.inf
    assert count_inner_faults(stored) == 3


def test_single_voxels_that_had_the_backgrounds_value_become_background_again():
    brain = np.pad(np.arange(1, 30**3 + 1, dtype=np.float32).reshape(30, 30, 30), 5)
    stored = np.where(brain == 0, np.nan, brain)
    stored[10:12, 20, 20] = np.nan
    assert count_inner_faults(stored) == 0  # 2 of 27,000
    assert np.count_nonzero(zero_background(stored)) == 30**3 - 2
    stored[10:13, 20, 20] = np.nan
    assert count_inner_faults(stored) == 3
    assert count_inner_faults(np.where(np.isnan(stored) & (brain == 0), 0, stored)) == 3


def test_nan_beyond_the_field_of_view_beside_another_background():
    stored = (BRAIN - 1024).astype(np.float32)
    stored[0] = np.nan
    np.testing.assert_array_equal(zero_background(stored), BRAIN)


def test_noise_around_a_head_is_no_background():
    noisy = np.random.default_rng(0).integers(0, 40, (9, 10, 11)).astype(np.int16)
    assert find_background(noisy) is None
    assert zero_background(noisy) is noisy
