from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from common.transforms.volumes.grid import ResampledGrid, plan_grid, resample

ORIENTATIONS = ["LPS", "RAS", "PSR", "ILA"]
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def stored_along(axes: str, voxels: np.ndarray, affine: np.ndarray = LPS) -> nib.Nifti1Image:
    """A volume given in LPS, as it is stored along other axes."""
    turn = ornt_transform(io_orientation(affine), axcodes2ornt(tuple(axes)))
    return nib.Nifti1Image(voxels, affine).as_reoriented(turn)


def box(shape: tuple[int, ...], *corners: tuple[int, int]) -> np.ndarray:
    voxels = np.zeros(shape, np.float32)
    voxels[tuple(slice(*corner) for corner in corners)] = 1
    return voxels


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_voxels_of_the_wanted_size_are_only_cut(axes: str) -> None:
    """The brain fills x 4..9, y 5..11, z 3..6; 8 voxels around x are 3..10, 10 around y 4..13, 3 around z 3..5."""
    rng = np.random.default_rng(0)
    voxels = box((14, 16, 10), (4, 10), (5, 12), (3, 7)) * rng.random((14, 16, 10), np.float32)
    image = stored_along(axes, voxels)
    stored = np.asarray(image.dataobj)
    grid = plan_grid(stored != 0, image.affine, (8, 10, 3), 1.0)
    assert np.array_equal(grid.sample(stored), voxels[3:11, 4:14, 4:7])
    assert grid.cut
    assert not plan_grid(stored != 0, image.affine, (6, 7, 4), 1.0).cut
    kept = np.zeros_like(voxels)
    kept[3:11, 4:14, 4:7] = voxels[3:11, 4:14, 4:7]
    assert np.array_equal(grid.restore(grid.sample(stored)), np.asarray(stored_along(axes, kept).dataobj))


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_a_box_comes_back_to_its_voxels(axes: str) -> None:
    """A box of the network's voxels, 2 mm, is the box of 1 mm voxels beneath it, in whatever way these are stored."""
    image = stored_along(axes, box((24, 28, 20), (4, 20), (4, 24), (2, 18)))
    stored = np.asarray(image.dataobj)
    grid = plan_grid(stored != 0, image.affine, (8, 10, 8), 2.0)
    found = grid.restore(box((8, 10, 8), (3, 6), (2, 5), (4, 6)))
    expected = np.asarray(stored_along(axes, box((24, 28, 20), (10, 16), (8, 14), (10, 14))).dataobj)
    assert found.shape == stored.shape
    assert found[expected == 0].max() == 0.25  # a quarter of a voxel beyond its edge
    assert found[expected > 0].min() == 0.75**3  # in its corners


@pytest.mark.parametrize("spacing", [0.7, 1.0, 1.6, 2.0, 3.1])
def test_the_centre_of_a_blob_stays_where_it_is(spacing: float) -> None:
    """Voxels of three sizes, stored askew: millimetres in the scanner are what counts."""
    affine = np.array([[0, 0, -1.2, 30], [-0.9, 0, 0, 12], [0, 1.5, 0, -9], [0, 0, 0, 1]])
    where = np.indices((50, 30, 40))
    stored = np.exp(-sum(((axis - middle) / 5) ** 2 for axis, middle in zip(where, (22, 16, 19), strict=True)))
    stored[stored < 1e-3] = 0
    grid = plan_grid(stored > 0, affine, [int(60 / spacing)] * 3, spacing)
    sampled = grid.sample(stored)
    assert sampled.sum() * spacing**3 == pytest.approx(stored.sum() * 1.2 * 0.9 * 1.5, rel=0.01)
    back = grid.restore(sampled)
    middle = [float((axis * back).sum() / back.sum()) for axis in where]
    assert middle == pytest.approx([22, 16, 19], abs=0.02)


def test_the_brain_is_in_the_middle_and_a_tilted_scanner_stays_tilted() -> None:
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.2, 0.1, 0.15), [3, 4, 5])
    stored = box((20, 20, 20), (3, 9), (8, 18), (5, 11))
    grid = plan_grid(stored > 0, turn @ LPS, (12, 14, 10), 1.0)
    expected = box((12, 14, 10), (3, 9), (2, 12), (2, 8))
    assert np.array_equal(grid.sample(stored), expected)


def test_beyond_the_volume_is_zero_and_a_plane_stays_linear() -> None:
    line = np.arange(1.0, 7.0).reshape(6, 1, 1)
    places = [np.array([-2.0, -0.5, 0.0, 1.25, 5.0, 5.5, 8.0]), np.zeros(1), np.zeros(1)]
    found = resample(line, places, [1.0, 1.0, 1.0])[:, 0, 0]
    assert found.tolist() == [0, 0.5, 1, 2.25, 6, 3, 0]


def test_larger_voxels_average_the_smaller_ones() -> None:
    """Between two voxels at a step of 2, the tent weighs 3/8 the nearer ones and 1/8 the others."""
    line = np.array([0, 0, 8, 0, 0, 0], np.float32).reshape(6, 1, 1)
    found = resample(line, [np.array([0.5, 2.5, 4.5]), np.zeros(1), np.zeros(1)], [2.0, 1.0, 1.0])
    assert found[:, 0, 0].tolist() == [1, 3, 0]


def test_json_there_and_back() -> None:
    image = stored_along("PSR", box((24, 28, 20), (4, 20), (4, 24), (2, 18)))
    grid = plan_grid(np.asarray(image.dataobj) != 0, image.affine, (8, 10, 8), 1.7)
    assert ResampledGrid.from_dict(json.loads(json.dumps(grid.to_dict()))) == grid


def test_no_brain_at_all() -> None:
    with pytest.raises(ValueError, match="no voxel is brain"):
        plan_grid(np.zeros((4, 4, 4), bool), LPS, (2, 2, 2), 1.0)
