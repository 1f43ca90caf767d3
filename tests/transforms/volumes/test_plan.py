from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.errors import DatasetError, KnobError
from common.transforms.volumes.plan import VolumePlan, take_volume

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
PLAN = VolumePlan((10, 10, 10), 1.0)


def head() -> tuple[np.ndarray, np.ndarray]:
    """A head of 5 in air of 1, in which a brain of 8 x 6 x 4 voxels counts from 0 to 191; and where the brain is."""
    voxels = np.ones((12, 14, 10))
    voxels[1:11, 1:13, 1:9] = 5
    brain = np.zeros(voxels.shape, bool)
    brain[2:10, 4:10, 3:7] = True
    voxels[brain] = np.arange(192)
    return voxels, brain


def save(path: Path, voxels: np.ndarray, affine: np.ndarray = LPS) -> str:
    nib.save(nib.Nifti1Image(voxels.astype(np.uint8), affine), path)
    return str(path)


def test_the_brain_alone_from_its_percentiles_to_0_and_1(tmp_path: Path) -> None:
    """0.5 and 99.5 percent of 0..191 are 0.955 and 190.045: 0 and 191 are clipped, the rest is a straight line."""
    voxels, brain = head()
    mask = save(tmp_path / "mask.nii.gz", brain * 207)  # any value that is not 0
    volume, grid = take_volume([voxels], LPS, mask, PLAN, "p1")
    expected = np.zeros((10, 10, 10))
    expected[1:9, 2:8, 3:7] = np.clip((np.arange(192.0).reshape(8, 6, 4) - 0.955) / 189.09, 0, 1)
    assert volume.dtype == np.float16
    np.testing.assert_allclose(volume[0], expected, atol=1e-3)
    assert not grid.cut


def test_a_stripped_brain_needs_no_mask_and_each_channel_has_its_own_scale(tmp_path: Path) -> None:
    voxels, brain = head()
    stripped = np.where(brain, voxels + 1, 0)
    volume, _ = take_volume([stripped, stripped * 1000 + 7 * brain], LPS, None, PLAN, "p1")
    assert volume.shape == (2, 10, 10, 10)
    np.testing.assert_allclose(volume[0], volume[1], atol=1e-3)
    masked, _ = take_volume([stripped], LPS, save(tmp_path / "mask.nii", brain), PLAN, "p1")
    assert np.array_equal(masked[0], volume[0])


def test_single_bright_voxels_do_not_decide_the_scale(tmp_path: Path) -> None:
    voxels = np.zeros((24, 24, 24))
    voxels[4:20, 4:20, 4:20] = np.linspace(100, 200, 16)
    hot = voxels.copy()
    hot[10, 10, 10] = 32767
    plan = VolumePlan((8, 8, 8), 2.0)
    plain, other = (take_volume([array], LPS, None, plan, "p1")[0].astype(float) for array in (voxels, hot))
    difference = np.abs(plain - other)
    assert difference.max() < 0.3  # clipped: no brighter than the brightest
    assert np.count_nonzero(difference > 0.01) <= 8


@pytest.mark.parametrize(
    ("voxels", "affine", "told"),
    [
        (np.ones((12, 14, 9)), LPS, "does not lie on the grid of the image"),
        (np.ones((12, 14, 10)), np.diag([1.0, -1.0, 1.0, 1.0]), "does not lie on the grid of the image"),
        (np.zeros((12, 14, 10)), LPS, r"every voxel of mask\.nii is zero"),
    ],
)
def test_a_mask_of_something_else(tmp_path: Path, voxels: np.ndarray, affine: np.ndarray, told: str) -> None:
    with pytest.raises(DatasetError, match=f"^p1: .*{told}"):
        take_volume([head()[0]], LPS, save(tmp_path / "mask.nii", voxels, affine), PLAN, "p1")


def test_nothing_at_all() -> None:
    with pytest.raises(DatasetError, match="p1: every voxel is zero"):
        take_volume([np.zeros((4, 4, 4))], LPS, None, PLAN, "p1")


@pytest.mark.parametrize(
    ("size", "spacing", "told"),
    [
        ((80, 96), 2, ["--volume_size"]),
        ((0, 8, 8), 2, ["--volume_size"]),
        (80, 2, ["--volume_size"]),
        ("big", 2, ["--volume_size"]),
        (("8", 8, 8), 2, ["--volume_size"]),
        ((8, 8, 8), "thick", ["--volume_spacing"]),
        ((8, 8, float("inf")), float("nan"), ["--volume_size", "--volume_spacing"]),
        ((8, 8, 8.5), -1, ["--volume_size", "--volume_spacing"]),
    ],
)
def test_a_grid_without_meaning(size: Any, spacing: Any, told: list[str]) -> None:
    with pytest.raises(KnobError) as caught:
        VolumePlan.read(size, spacing)
    assert [problem.where for problem in caught.value.problems] == told
