from __future__ import annotations

import numpy as np
import pytest

from common.transforms.intensity import FEWEST_FOR_STRIDE, scale_in_brain, z_score_by_slice, z_score_in_brain


def test_by_hand() -> None:
    """Brain 2, 4, 4, 4, 5, 5, 7, 9: mean 5, standard deviation 2."""
    image = np.array([[0, 2, 4, 4, 4], [5, 5, 7, 9, 0]], np.int16)
    scaled = z_score_in_brain(image, clip_percentiles=(0, 100))
    assert scaled.dtype == np.float16
    assert scaled.tolist() == [[0, -1.5, -0.5, -0.5, -0.5], [0, 0, 1, 2, 0]]


def test_clipping_by_hand() -> None:
    """Percentiles 25 and 75 of 1 to 5 are 2 and 4: 2, 2, 3, 4, 4 has mean 3 and variance 0.8."""
    scaled = z_score_in_brain(np.array([1, 2, 3, 4, 5, 0]), clip_percentiles=(25, 75))
    np.testing.assert_allclose(scaled, np.array([-1, -1, 0, 1, 1, 0]) / np.sqrt(0.8), atol=1e-3)


def test_background_stays_exactly_zero_and_the_brain_is_standard() -> None:
    image = np.zeros((30, 30, 30), np.float32)
    image[5:25, 5:25, 5:25] = np.random.default_rng(0).normal(400, 80, (20, 20, 20))
    scaled = z_score_in_brain(image)
    assert not scaled[image == 0].any()
    inside = scaled[image != 0].astype(float)
    assert inside.mean() == pytest.approx(0, abs=1e-3)
    assert inside.std() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("count", [5_000, 3 * FEWEST_FOR_STRIDE])
def test_a_few_extreme_voxels_do_not_decide_the_scale(count: int) -> None:
    plain = np.random.default_rng(0).normal(400, 80, count).astype(np.float32)
    spoiled = plain.copy()
    spoiled[:2] = 32_767
    rest = slice(2, None)
    np.testing.assert_allclose(z_score_in_brain(spoiled)[rest], z_score_in_brain(plain)[rest], atol=0.15)
    assert z_score_in_brain(spoiled).max() < 5


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_every_type_of_voxel_gives_the_same(kind: type) -> None:
    image = np.arange(200).reshape(10, 20)
    np.testing.assert_array_equal(z_score_in_brain(image.astype(kind)), z_score_in_brain(image))


def test_a_small_brain_is_not_judged_by_every_seventh_voxel() -> None:
    scaled = z_score_in_brain(np.array([0, 10, 20, 30, 40, 50, 60]))
    by_hand = [0, -1.464, -0.878, -0.293, 0.293, 0.878, 1.464]  # around 35, by a deviation of 17.08
    np.testing.assert_allclose(scaled, by_hand, atol=0.002)


def test_an_empty_and_a_constant_image_are_zero_and_finite() -> None:
    assert not z_score_in_brain(np.zeros((3, 3))).any()
    assert not z_score_in_brain(np.full((3, 3), 7)).any()


def test_the_input_is_left_as_it_was() -> None:
    image = np.arange(100, dtype=np.float32)
    z_score_in_brain(image)
    np.testing.assert_array_equal(image, np.arange(100))


@pytest.mark.parametrize("planes", [[2, 0], [1], []])
def test_planes_are_scaled_by_what_the_whole_image_decides(planes: list[int]) -> None:
    image = np.random.default_rng(0).integers(0, 5000, (3, 40, 50)) * np.arange(3)[:, None, None]  # the first is empty
    np.testing.assert_array_equal(z_score_in_brain(image, planes=planes), z_score_in_brain(image)[planes])
    assert z_score_in_brain(np.zeros((3, 4, 5)), planes=planes).shape == (len(planes), 4, 5)


def test_shares_of_the_brains_range() -> None:
    """0 and 100 percent of 10..30 are 10 and 30; what is no brain counts for nothing, and a zero in it counts."""
    image, brain = np.array([500, 10, 20, 30, -7]), np.array([False, True, True, True, False])
    assert scale_in_brain(image, brain, (0, 100)).tolist() == [0, 0, 0.5, 1, 0]
    assert scale_in_brain(image - 10, brain, (0, 100)).tolist() == [0, 0, 0.5, 1, 0]
    assert scale_in_brain(image, brain, (25, 75)).tolist() == [0, 0, 0.5, 1, 0]  # 15 and 25
    assert scale_in_brain(np.full(5, 3), brain).tolist() == scale_in_brain(image, ~brain & brain).tolist() == [0] * 5


def test_slices_are_standardised_by_all_their_pixels() -> None:
    """(0, 0, 0, 4): mean 1, deviation sqrt(3); a slice of one value is zero."""
    image = np.array([[[0, 0], [0, 4]], [[7, 7], [7, 7]]], np.int16)
    found = z_score_by_slice(image)
    assert found.dtype == np.float16
    np.testing.assert_allclose(found[0].ravel(), np.array([-1, -1, -1, 3]) / np.sqrt(3), atol=1e-3)
    assert not found[1].any()
