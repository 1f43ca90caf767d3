from __future__ import annotations

import numpy as np
import pytest

from common.errors import KnobError
from common.transforms.brain.components import ComponentRule

VOXEL = 10.0
"""mm³: a hundred voxels are a millilitre."""


@pytest.fixture
def classes() -> np.ndarray:
    """A tumour of 27 voxels with two of ET, an island of four far away, and one that touches it by a corner."""
    volume = np.zeros((12, 12, 12), np.uint8)
    volume[:3, :3, :3] = 2
    volume[0, 0, :2] = 3
    volume[3, 3, 3] = 1
    volume[8:10, 8:10, 8] = 2
    return volume


def test_islands_under_the_limit_are_background(classes: np.ndarray) -> None:
    kept = ComponentRule(smallest_component=0.041).apply(classes, VOXEL)
    assert not kept[8:].any()
    np.testing.assert_array_equal(kept[:8], classes[:8])  # what touches by a corner belongs to the tumour
    assert kept.dtype == classes.dtype


def test_an_island_of_exactly_the_limit_stays(classes: np.ndarray) -> None:
    np.testing.assert_array_equal(ComponentRule(smallest_component=0.04).apply(classes, VOXEL), classes)


def test_the_largest_part_stays_however_small(classes: np.ndarray) -> None:
    kept = ComponentRule(smallest_component=100).apply(classes, VOXEL)
    assert (kept > 0).sum() == 28
    assert not ComponentRule(smallest_component=100).apply(np.zeros((2, 2, 2), np.uint8), VOXEL).any()


def test_a_trace_of_enhancement_is_core(classes: np.ndarray) -> None:
    kept = ComponentRule(smallest_et=0.021).apply(classes, VOXEL)
    assert kept[0, 0, :2].tolist() == [1, 1]
    assert not (kept == 3).any()
    np.testing.assert_array_equal(ComponentRule(smallest_et=0.02).apply(classes, VOXEL), classes)


def test_enhancement_is_measured_after_islands_are_gone(classes: np.ndarray) -> None:
    classes[8:10, 8:10, 8] = 3
    both = ComponentRule(smallest_component=0.05, smallest_et=0.05)
    assert not (both.apply(classes, VOXEL) == 3).any()
    assert (ComponentRule(smallest_et=0.05).apply(classes, VOXEL) == 3).sum() == 6


def test_a_resection_cavity_joins_nothing_and_stays() -> None:
    volume = np.zeros((9, 3, 3), np.uint8)
    volume[:4], volume[4:7], volume[7:] = 2, 4, 2
    kept = ComponentRule(smallest_component=0.2).apply(volume, VOXEL)
    assert (kept[:4] == 2).all()
    assert (kept[4:7] == 4).all()
    assert not kept[7:].any()


def test_the_input_is_not_changed(classes: np.ndarray) -> None:
    before = classes.copy()
    ComponentRule(1, 1).apply(classes, VOXEL)
    np.testing.assert_array_equal(classes, before)


@pytest.mark.parametrize("value", [-1, "some", None, float("nan"), float("inf")])
def test_what_is_no_volume_is_refused(value: object) -> None:
    with pytest.raises(KnobError, match="--smallest_et"):
        ComponentRule(0.5, value)  # type: ignore[arg-type]


def test_names() -> None:
    assert ComponentRule().name == "none"
    assert ComponentRule(0.5, 0.1).name == "islands under 0.5 ml, ET under 0.1 ml"
