from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from common.shortcuts.traits import ADVICE, find_traits
from common.shortcuts.voxel_traits import (
    BACKGROUND,
    INTENSITIES,
    NOISE,
    SHARPNESS,
    VOXEL_TRAITS,
    measure_brain,
    voxel_traits,
)

SIDE = 24


def ball(values: np.ndarray) -> np.ndarray:
    """``values`` within a ball, 0 around it."""
    distance = np.linalg.norm(np.indices(values.shape) - (SIDE - 1) / 2, axis=0)
    return np.where(distance < SIDE / 2 - 2, values, 0).astype(np.float32)


def save(path: Path, *channels: np.ndarray) -> str:
    np.save(path, np.stack(channels).astype(np.float16))
    return str(path)


def test_statistics_by_hand() -> None:
    """A cube of 5 x 5 x 5 that rises by 1 a plane, from 1 to 5, in a box of 10 x 5 x 5."""
    volume = np.zeros((10, 5, 5), np.float32)
    volume[2:7] = np.arange(1, 6)[:, None, None]
    measured = measure_brain(volume)
    width = np.sqrt(2)
    assert measured[BACKGROUND] == 0.5
    assert measured[f"{INTENSITIES}, mean"] == 3
    assert measured[f"{INTENSITIES}, width"] == pytest.approx(width)
    assert measured[f"{INTENSITIES}, 25 %"] == 2
    assert measured[f"{INTENSITIES}, 95 %"] == 5
    assert measured[SHARPNESS] == pytest.approx(100 / 300 / width)  # along x every step is 1, along y and z 0
    assert measured[NOISE] == 0  # a slope is no noise


def test_the_noise_is_that_of_a_smooth_image_with_noise() -> None:
    random = np.random.default_rng(0)
    smooth = 1 + gaussian_filter(random.standard_normal((SIDE,) * 3), 5) * 30
    noisy = smooth + 0.05 * random.standard_normal(smooth.shape)
    measured = measure_brain(ball(noisy))
    assert measured[NOISE] * measured[f"{INTENSITIES}, width"] == pytest.approx(0.05, rel=0.1)


def test_the_edge_of_the_brain_is_neither_noise_nor_sharpness() -> None:
    measured = measure_brain(ball(np.ones((SIDE,) * 3)))
    assert measured[SHARPNESS] == measured[NOISE] == 0


def test_a_blurred_image_is_less_sharp() -> None:
    image = np.random.default_rng(0).random((SIDE,) * 3) + 1
    sharp, blurred = measure_brain(ball(image)), measure_brain(ball(gaussian_filter(image, 1)))
    assert blurred[SHARPNESS] < sharp[SHARPNESS] / 1.2


def test_an_empty_volume_has_a_background_and_nothing_else() -> None:
    assert measure_brain(np.zeros((4, 4, 4), np.float32)) == {BACKGROUND: 1}


def test_every_channel_has_columns_of_its_own(tmp_path: Path) -> None:
    image = ball(np.random.default_rng(0).random((SIDE,) * 3))
    one = {"subject": "A", "cached": save(tmp_path / "a.npy", image, 2 * image)}
    traits = voxel_traits([one, {"subject": "B"}])
    assert tuple(traits) == VOXEL_TRAITS
    assert set(traits) <= set(ADVICE)
    means = traits[INTENSITIES].filter(like="mean")
    assert means.iloc[0, 1] == pytest.approx(2 * means.iloc[0, 0], rel=1e-3)
    assert means.iloc[1].isna().all()


def test_voxels_are_looked_at_on_request_only(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    records = [
        {"subject": name, "cached": save(tmp_path / f"{name}.npy", ball(random.random((SIDE,) * 3)))} for name in "AB"
    ]
    assert find_traits(records, "grade") == {}
    assert set(find_traits(records, "grade", voxels=True)) == {INTENSITIES, NOISE, SHARPNESS}


def test_a_volume_that_was_prepared_anew_is_read_again(tmp_path: Path) -> None:
    path, image = tmp_path / "a.npy", ball(np.ones((SIDE,) * 3))
    records = [{"subject": "A", "cached": save(path, image)}]
    assert voxel_traits(records)[INTENSITIES].iloc[0, 0] == 1
    save(path, 2 * image)
    os.utime(path, ns=(0, 0))
    assert voxel_traits(records)[INTENSITIES].iloc[0, 0] == 2


def test_without_prepared_volumes_there_is_nothing_to_look_at() -> None:
    assert voxel_traits([{"subject": "A"}]) == {}
