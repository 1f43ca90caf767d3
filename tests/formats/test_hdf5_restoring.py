from __future__ import annotations

import numpy as np
import pytest

from common.formats.hdf5_restoring import restore_intensities
from common.formats.nifti import read_nifti
from common.phantoms.layouts.brats2020_hdf5 import standardise


def standardised(volume: np.ndarray) -> list[np.ndarray]:
    return [standardise(plane[..., None])[..., 0] for plane in np.moveaxis(volume, -1, 0)]


@pytest.fixture
def volume() -> np.ndarray:
    """Whole numbers in a box whose slices differ in brightness; the first and the last slice are empty."""
    rng = np.random.default_rng(0)
    voxels = np.zeros((20, 16, 6), np.int16)
    for z in range(1, 5):
        voxels[4:16, 3:12, z] = rng.integers(1, 300 * z, (12, 9))
    return voxels


def test_whole_numbers_come_back_to_the_letter(volume: np.ndarray) -> None:
    planes = standardised(volume)
    assert planes[3][0, 0] < 0
    restored = restore_intensities(planes)
    assert restored.dtype == np.int32
    np.testing.assert_array_equal(restored, volume)


def test_few_values_far_apart_still_tell_their_unit() -> None:
    plane = np.zeros((6, 6, 1), np.int16)
    plane[2, 2:5, 0] = 6, 10, 15  # the smallest step is 4, and the unit is a quarter of it
    np.testing.assert_array_equal(restore_intensities(standardised(plane)), plane)


def test_negative_intensities_come_back(volume: np.ndarray) -> None:
    volume[8, 8, 2] = -30
    np.testing.assert_array_equal(restore_intensities(standardised(volume)), volume)


def test_other_numbers_keep_their_shape_and_get_a_background_of_zero(volume: np.ndarray) -> None:
    bright = np.where(volume > 0, np.sqrt(volume), 0)
    restored = restore_intensities(standardised(bright))
    assert restored.dtype == np.float32
    np.testing.assert_array_equal(restored == 0, volume == 0)
    np.testing.assert_allclose(restored[..., 2], bright[..., 2] / bright[..., 2].std(), rtol=1e-5)


def test_what_was_not_standardised_stays(volume: np.ndarray) -> None:
    even = (volume * 2).astype(float)
    np.testing.assert_array_equal(restore_intensities(list(np.moveaxis(even, -1, 0))), even)
    shares = even / even.max()
    np.testing.assert_allclose(restore_intensities(list(np.moveaxis(shares, -1, 0))), shares, rtol=1e-6)


def test_nan_stays_to_be_told(volume: np.ndarray) -> None:
    planes = standardised(volume)
    planes[2][8, 8] = np.nan
    assert np.isnan(restore_intensities(planes)).sum() == 1


def test_real_intensities_come_back(realdata) -> None:
    path = sorted((realdata / "brats18").glob("*/*/*_t2.nii*"))[0]
    array = read_nifti(path).array
    np.testing.assert_array_equal(restore_intensities(standardised(array)), array)
