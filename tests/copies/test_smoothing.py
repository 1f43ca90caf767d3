"""Products of matrices do what scipy's filter does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from common.copies.smoothing import shrink_all, smooth


@pytest.mark.parametrize("sigma", [1.0, 2.4, 6.5])
def test_it_is_the_gaussian_with_mirrored_borders(sigma: float) -> None:
    picture = np.random.default_rng(0).normal(size=(128, 93)).astype(np.float32)
    expected = ndimage.gaussian_filter(picture, sigma, mode="reflect", truncate=6)
    assert np.abs(smooth(picture, sigma) - expected).max() < 0.02 * np.abs(expected).max()


def test_an_even_picture_stays_even_and_an_edge_is_blurred_by_the_integral_of_the_gaussian() -> None:
    assert np.allclose(smooth(np.full((40, 60), 7, np.float32), 3.0), 7, atol=1e-3)
    step = np.repeat(np.float32([[0.0] * 64 + [1.0] * 64]), 32, axis=0)
    # One pixel and a half beyond the edge, with a sigma of three: the normal distribution up to half a sigma, 0.6915.
    assert np.allclose(smooth(step, 3.0)[:, 65], 0.6915, atol=2e-3)


def test_half_the_points_lie_between_the_pixels() -> None:
    y, x = np.mgrid[:64, :48].astype(np.float32)
    rows, wide = shrink_all(y, (32, 24), (1.2, 2.5))
    columns, _ = shrink_all(x, (32, 24), (1.2, 2.5))
    inner = slice(6, -6)  # elsewhere the mirrored border bends the slope
    assert np.allclose(rows[inner], 2 * np.arange(32)[inner, None] + 0.5, atol=0.02)
    assert np.allclose(wide[inner], rows[inner], atol=0.1)
    assert np.allclose(columns[:, inner], 2 * np.arange(24)[None, inner] + 0.5, atol=0.02)
