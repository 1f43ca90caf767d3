"""The same scan is told in another file, another scan never."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, ornt_transform

from common.formats.nifti import read_nifti
from common.formats.voxel_hashes import VoxelHashes, hash_voxels

AFFINE = np.diag([-1.0, -1.0, 2.0, 1.0])


@pytest.fixture
def brain() -> np.ndarray:
    """A block of different values, off the middle, in a background of zeros."""
    array = np.zeros((12, 14, 10), dtype=np.int16)
    array[2:9, 3:12, 2:7] = np.random.default_rng(0).integers(1, 1500, (7, 9, 5))
    return array


def hashed(array: np.ndarray) -> VoxelHashes:
    found = hash_voxels(array, AFFINE)
    assert found is not None and found.values is not None
    return found


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64, ">i2", ">f4"])
def test_the_type_of_the_numbers_makes_no_difference(brain: np.ndarray, dtype: str) -> None:
    assert hashed(brain.astype(dtype)) == hashed(brain)


@pytest.mark.parametrize("axes", ["RAS", "LPS", "PSR", "AIL"])
def test_the_order_of_the_axes_makes_no_difference(brain: np.ndarray, axes: str) -> None:
    image = nib.Nifti1Image(brain, AFFINE)
    turn = ornt_transform(nib.io_orientation(AFFINE), axcodes2ornt(axes))
    turned = image.as_reoriented(turn)
    assert nib.aff2axcodes(turned.affine) == tuple(axes)
    assert hash_voxels(np.asanyarray(turned.dataobj), turned.affine) == hashed(brain)


def test_scale_factor_and_compression_make_no_difference(brain: np.ndarray, tmp_path: Path) -> None:
    image = nib.Nifti1Image(2 * brain + 6, AFFINE)
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "scaled.nii")
    nib.save(nib.Nifti1Image(brain, AFFINE), tmp_path / "plain.nii.gz")
    scaled, plain = read_nifti(tmp_path / "scaled.nii"), read_nifti(tmp_path / "plain.nii.gz")
    assert scaled.array.dtype != plain.array.dtype
    assert hash_voxels(scaled.array, scaled.affine) == hash_voxels(plain.array, plain.affine) == hashed(brain)


def test_minus_zero_is_zero(brain: np.ndarray) -> None:
    stored = brain - 100.0
    negative = np.where(stored == 0, -0.0, stored)
    assert (stored == 0).any() and hashed(negative) == hashed(stored)
    empty = np.where(brain == 0, -0.0, brain)
    assert hashed(empty) == hashed(brain)


def test_one_voxel_makes_another_scan(brain: np.ndarray) -> None:
    other = brain.copy()
    other[4, 5, 4] += 1
    assert hashed(other).voxels != hashed(brain).voxels
    assert hashed(other).values != hashed(brain).values


def test_two_exchanged_values_make_another_scan_with_the_same_values(brain: np.ndarray) -> None:
    other = brain.copy()
    assert other[3, 4, 4] != other[5, 6, 4]
    other[3, 4, 4], other[5, 6, 4] = brain[5, 6, 4], brain[3, 4, 4]
    assert hashed(other).voxels != hashed(brain).voxels
    assert hashed(other).values == hashed(brain).values


MOVED = {
    "shifted": lambda array: np.roll(array, (2, -1, 2), axis=(0, 1, 2)),
    "mirrored": lambda array: array[::-1],
    "turned": lambda array: np.rot90(array, axes=(0, 1)),
    "padded": lambda array: np.pad(array, ((3, 3), (0, 4), (1, 0))),
    "cropped": lambda array: array[1:10, 2:13, 1:8],
}


@pytest.mark.parametrize("move", MOVED.values(), ids=MOVED)
def test_a_moved_copy_keeps_the_hash_of_its_values(brain: np.ndarray, move) -> None:
    moved = hashed(move(brain))
    assert moved.values == hashed(brain).values
    assert moved.voxels != hashed(brain).voxels


def test_background_need_not_be_zero(brain: np.ndarray) -> None:
    dark = brain.astype(np.int16) - 1024
    assert hashed(np.pad(dark, 2, constant_values=-1024)).values == hashed(dark).values
    assert hashed(np.where(brain == 0, 7, brain)).voxels != hashed(brain).voxels


def test_a_border_of_background_is_part_of_the_shape(brain: np.ndarray) -> None:
    assert hashed(brain[:, :, :-1]).voxels != hashed(brain).voxels


def test_an_image_without_content_is_no_evidence(brain: np.ndarray) -> None:
    assert hash_voxels(np.zeros_like(brain), AFFINE) is None
    assert hash_voxels(np.full(brain.shape, 5.0), AFFINE) is None
    few = np.zeros_like(brain)
    few[2:5, 3:7, 2:7] = np.arange(1, 61).reshape(3, 4, 5)
    assert np.count_nonzero(few) == 60 and hash_voxels(few, AFFINE) is None


def test_of_a_mask_only_the_place_is_evidence(brain: np.ndarray) -> None:
    mask = (brain > 700).astype(np.uint8)
    found = hash_voxels(mask, AFFINE)
    assert found is not None and found.values is None
    moved = hash_voxels(np.roll(mask, 1, axis=0), AFFINE)
    assert moved is not None and moved.voxels != found.voxels


def test_a_picture_has_no_axes_to_turn() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert hash_voxels(picture) == hash_voxels(picture.astype(np.float32))
    turned, plain = hash_voxels(np.rot90(picture)), hash_voxels(picture)
    assert turned is not None and plain is not None
    assert turned.voxels != plain.voxels and turned.values == plain.values
