from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.audit.contents import PREVIEW_SIDE, Scan, read_contents
from common.audit.split import Case
from common.errors import DatasetError
from tests.writers import Writer


def scan_of(path: Path) -> Scan:
    return read_contents([Case("a", (str(path),))]).scans[str(path)]


def ramp(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


@pytest.mark.parametrize(
    ("shape", "channels"), [((12, 10), 1), ((6, 5, 4), 1), ((6, 5, 4, 3), 3), ((6, 5, 4, 2, 2), 4)]
)
def test_each_channel_has_hashes_of_its_own(
    tmp_path: Path, write_volume: Writer, shape: tuple[int, ...], channels: int
) -> None:
    hashes = scan_of(write_volume(tmp_path / "a.nii.gz", ramp(*shape))).hashes
    assert len(hashes) == len(set(hashes)) == channels


def test_voxels_that_are_no_numbers_are_background(tmp_path: Path, write_volume: Writer) -> None:
    whole = ramp(6, 5, 4)
    whole[2, 3, 1] = 0
    odd = whole.copy()
    odd[0, 0, 0], odd[2, 3, 1] = np.nan, np.inf
    one, other = (scan_of(write_volume(tmp_path / f"{n}.nii", array)) for n, array in enumerate((whole, odd)))
    assert one.hashes == other.hashes
    assert np.array_equal(one.preview, other.preview)


def test_an_empty_volume_has_a_black_picture_and_no_hash(tmp_path: Path, write_volume: Writer) -> None:
    scan = scan_of(write_volume(tmp_path / "a.nii", np.zeros((6, 5, 4), np.uint8)))
    assert scan.hashes == ()
    assert scan.preview.shape == (5, 6) and not scan.preview.any()


def test_the_picture_is_the_middle_slice_front_up_and_the_patients_right_on_the_left(
    tmp_path: Path, write_volume: Writer
) -> None:
    """Bright is one voxel on the patient's right, in front, in the middle slice; the file is stored in LPS."""
    array = np.zeros((6, 8, 5), np.int16)
    array[0, 0, 2] = 100
    scan = scan_of(write_volume(tmp_path / "a.nii", array, np.diag([-1.0, -1.0, 1.0, 1.0])))
    assert np.argwhere(scan.preview).tolist() == [[0, 0]]


def test_a_large_slice_becomes_a_small_picture(tmp_path: Path, write_volume: Writer) -> None:
    side = 2 * PREVIEW_SIDE + 1
    assert scan_of(write_volume(tmp_path / "a.nii", ramp(side, 4, 2))).preview.shape == (2, side // 3)


def test_files_without_brightness_are_told_together(tmp_path: Path, write_volume: Writer) -> None:
    colour = np.zeros((4, 4, 2), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colour, np.eye(4)), tmp_path / "colour.nii")
    write_volume(tmp_path / "sound.nii")
    cases = [Case(name, (str(tmp_path / f"{name}.nii"),)) for name in ("colour", "sound", "gone")]
    with pytest.raises(DatasetError) as caught:
        read_contents(cases)
    assert len(caught.value.problems) == 2
    assert all(name in str(caught.value) for name in ("colour.nii", "gone.nii")) and "sound" not in str(caught.value)


def test_no_image_is_no_scan() -> None:
    contents = read_contents([Case("a")])
    assert (contents.scans, contents.copies) == ({}, None)
