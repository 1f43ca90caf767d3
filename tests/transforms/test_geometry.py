from __future__ import annotations

import json
from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest

from common.transforms.geometry import BrainGeometry, cut_brain, find_brain, orientation_of

PAIRS = (("R", "L"), ("A", "P"), ("S", "I"))
ORIENTATIONS = ["".join(axes) for order in permutations(PAIRS) for axes in product(*order)]
SIZES = {"R": 2.0, "L": 2.0, "A": 3.0, "P": 3.0, "S": 5.0, "I": 5.0}


def affine_of(codes: str) -> np.ndarray:
    """Voxels of 2 mm from left to right, 3 mm from back to front, 5 mm from foot to head."""
    affine = np.zeros((4, 4))
    affine[:, 3] = [7, 8, 9, 1]
    for stored, code in enumerate(codes):
        world = "RAS".find(code) if code in "RAS" else "LPI".find(code)
        affine[world, stored] = SIZES[code] * (1 if code in "RAS" else -1)
    assert nib.aff2axcodes(affine) == tuple(codes)
    return affine


@pytest.mark.parametrize("codes", ORIENTATIONS)
def test_the_box_and_back_is_the_identity_in_all_48_orientations(codes: str) -> None:
    rng = np.random.default_rng(0)
    stored = np.zeros((6, 7, 8), np.int16)
    stored[1:4, 2:7, 3:5] = rng.integers(1, 99, (3, 5, 2))
    geometry = find_brain([stored], affine_of(codes))
    assert geometry is not None
    boxed = cut_brain(stored, geometry)
    assert sorted(boxed.shape) == [2, 3, 5]
    again = geometry.restore(boxed)
    assert again.dtype == stored.dtype
    np.testing.assert_array_equal(again, stored)
    assert geometry.spacing == (2.0, 3.0, 5.0)  # whatever the order of storage, x, y and z in LPS


def test_the_48_orientations_are_48() -> None:
    assert len(set(ORIENTATIONS)) == 48


def test_working_axes_by_hand() -> None:
    """Stored PSR: the first axis runs backwards (y), the second upwards (z), the third to the right (x, turned)."""
    stored = np.zeros((4, 5, 6), np.uint8)
    stored[1, 2, 0] = 9
    geometry = find_brain([stored], affine_of("PSR"))
    assert geometry is not None
    assert geometry.shape == (6, 4, 5)
    assert (geometry.start, geometry.stop) == ((5, 1, 2), (6, 2, 3))
    assert geometry.orientation == ((1, 1), (2, 1), (0, -1))
    assert cut_brain(stored, geometry).tolist() == [[[9]]]


def test_lps_needs_no_turn_and_the_box_is_a_view() -> None:
    stored = np.zeros((4, 5, 6), np.uint8)
    stored[1:3, 2:5, 0:6] = 1
    np.testing.assert_array_equal(orientation_of(affine_of("LPS")), [[0, 1], [1, 1], [2, 1]])
    geometry = find_brain([stored], affine_of("LPS"))
    assert geometry is not None
    assert (geometry.start, geometry.stop) == ((1, 2, 0), (3, 5, 6))
    assert np.shares_memory(cut_brain(stored, geometry), stored)


def test_an_oblique_affine_keeps_its_voxel_sizes() -> None:
    angle = np.deg2rad(20)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([0.5, 0.75, 6.0])
    geometry = find_brain([np.ones((2, 2, 2))], affine)
    assert geometry is not None
    np.testing.assert_allclose(geometry.spacing, (0.5, 0.75, 6.0))


def test_the_box_holds_what_any_channel_shows_negative_values_too() -> None:
    first, second = np.zeros((2, 5, 5, 5), np.float32)
    first[1, 2, 3] = 0.001
    second[4, 2, 0] = -7
    geometry = find_brain([first, second], affine_of("LPS"))
    assert geometry is not None
    assert (geometry.start, geometry.stop) == ((1, 2, 0), (5, 3, 4))


def test_a_brain_that_touches_every_border() -> None:
    geometry = find_brain([np.ones((3, 4, 5))], affine_of("RAS"))
    assert geometry is not None
    assert (geometry.start, geometry.stop) == ((0, 0, 0), (3, 4, 5))


def test_nothing_is_no_brain() -> None:
    assert find_brain([np.zeros((3, 4, 5)), np.zeros((3, 4, 5))], affine_of("RAS")) is None


def test_outside_the_box_all_is_zero() -> None:
    stored = np.zeros((6, 7, 8))
    stored[2, 3, 4] = 1
    geometry = find_brain([stored], affine_of("LAS"))
    assert geometry is not None
    assert geometry.restore(np.full((1, 1, 1), 5, np.uint8)).sum() == 5


def test_json_takes_nothing_away() -> None:
    stored = np.zeros((6, 7, 8))
    stored[2, 3, 4] = 1
    geometry = find_brain([stored], affine_of("ILA"))
    assert geometry is not None
    again = BrainGeometry.from_dict(json.loads(json.dumps(geometry.to_dict())))
    assert again == geometry
    assert isinstance(again.shape, tuple)
