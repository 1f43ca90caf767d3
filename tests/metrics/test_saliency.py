from __future__ import annotations

import numpy as np
import pytest

from common.metrics import share_inside


def test_the_share_is_heat_inside_over_all_heat() -> None:
    cam = [[0.0, 0.5, 1.0], [0.5, 0.0, 0.0]]
    mask = [[0, 1, 1], [0, 1, 0]]
    assert share_inside(cam, mask) == pytest.approx(1.5 / 2)


def test_a_map_that_knows_nothing_has_the_share_of_the_mask() -> None:
    mask = np.zeros((10, 10))
    mask[:2, :3] = 255
    assert share_inside(np.ones((10, 10)), mask) == pytest.approx(0.06)


def test_an_empty_map_has_no_share() -> None:
    assert np.isnan(share_inside(np.zeros((2, 2)), np.ones((2, 2))))
    assert share_inside(np.ones((2, 2)), np.zeros((2, 2))) == 0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        share_inside(np.ones((2, 2)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="negative"):
        share_inside([[-1.0, 1.0]], [[1, 1]])
