from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from common.cohorts import find_brain_mask, is_stripped
from common.cohorts.brains.masks import find_mask_problems
from common.errors import DatasetError

Writer = Callable[..., Path]

IMAGE = "IXI012-HH-1211-T1"


@pytest.mark.parametrize(
    "name",
    [
        f"{IMAGE}_mask.nii.gz",
        f"{IMAGE}-mask.nii",
        f"{IMAGE}_brain_mask.nii.gz",
        f"{IMAGE}_brainmask.nii.gz",
        f"{IMAGE}_bet_mask.nii.gz",
        f"{IMAGE}_hd-bet_Mask.nii.gz",
        f"{IMAGE}_DLMUSE.nii.gz",
        "IXI012-HH-1211_brain_mask.nii.gz",
        "ixi012-hh-1211-t1_mask.nii.gz",
    ],
)
def test_a_mask_beside_an_image(tmp_path: Path, name: str) -> None:
    image = tmp_path / f"{IMAGE}.nii.gz"
    image.touch()
    assert find_brain_mask(image) is None
    (tmp_path / name).touch()
    assert find_brain_mask(image) == str(tmp_path / name)


@pytest.mark.parametrize(
    "name",
    [
        f"{IMAGE}_tumour_mask.nii.gz",
        f"{IMAGE}_seg.nii.gz",
        f"{IMAGE}_mask.txt",
        f"{IMAGE}_unmasked.nii.gz",
        "IXI012-HH-12110-T1_mask.nii.gz",
        "IXI013-HH-1211-T1_mask.nii.gz",
        "mask.nii.gz",
    ],
)
def test_other_files_are_no_mask(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find_brain_mask(tmp_path / f"{IMAGE}.nii.gz") is None


def test_a_mask_of_the_sequence_goes_before_one_of_the_patient(tmp_path: Path) -> None:
    for name in (f"{IMAGE}_mask.nii.gz", "IXI012-HH-1211_mask.nii.gz"):
        (tmp_path / name).touch()
    assert find_brain_mask(tmp_path / f"{IMAGE}.nii.gz") == str(tmp_path / f"{IMAGE}_mask.nii.gz")
    assert find_brain_mask(tmp_path / "IXI012-HH-1211-T2.nii.gz") == str(tmp_path / "IXI012-HH-1211_mask.nii.gz")


def test_two_masks_are_refused(tmp_path: Path) -> None:
    for name in (f"{IMAGE}_mask.nii.gz", f"{IMAGE}_mask.nii"):
        (tmp_path / name).touch()
    with pytest.raises(DatasetError, match="several brain masks beside it"):
        find_brain_mask(tmp_path / f"{IMAGE}.nii.gz")


def test_no_folder(tmp_path: Path) -> None:
    assert find_brain_mask(tmp_path / "nowhere" / "a.nii.gz") is None
    assert find_brain_mask(tmp_path) is None


class TestStripped:
    def test_a_ball_in_zeros(self) -> None:
        assert is_stripped(ball(radius=6), np.diag([10.0, 10, 10, 1]))  # 4/3 pi 6^3 = 905 ml

    def test_a_ball_larger_than_any_brain(self) -> None:
        assert not is_stripped(ball(radius=9), np.diag([10.0, 10, 10, 1]))  # 4/3 pi 9^3 = 3054 ml

    def test_a_turned_affine_with_negative_voxels(self) -> None:
        affine = np.array([[0, 0, 10, 0], [-10, 0, 0, 0], [0, 10, 0, 0], [0, 0, 0, 1.0]])
        assert is_stripped(ball(radius=6), affine)
        assert not is_stripped(ball(radius=9), affine)

    def test_noise_in_the_air_of_a_small_head(self) -> None:
        noisy = ball(radius=6) + np.random.default_rng(0).integers(0, 2, (20, 20, 20))
        assert not is_stripped(noisy, np.eye(4))

    def test_channels(self) -> None:
        stacked = np.stack([ball(radius=5), ball(radius=6)], axis=3)
        assert is_stripped(stacked, np.diag([10.0, 10, 10, 1]))

    def test_nothing_is_no_brain(self) -> None:
        assert not is_stripped(np.zeros((4, 4, 4)), np.eye(4))

    @pytest.mark.parametrize(("pattern", "expected"), [("ixi/*_T1.nii.gz", False), ("brats18/*/*/*_t1ce.nii.gz", True)])
    def test_real_volumes(self, realdata: Path, pattern: str, expected: bool) -> None:
        from common.formats.nifti import read_nifti

        paths = sorted(realdata.glob(pattern))[:3]
        assert paths
        for path in paths:
            volume = read_nifti(path)
            assert is_stripped(volume.array, volume.affine) == expected, path


class TestGrid:
    def test_a_mask_must_lie_on_the_image(self, write_volume: Writer, tmp_path: Path) -> None:
        image = write_volume(tmp_path / "a.nii.gz")
        fits = write_volume(tmp_path / "fits.nii.gz", np.ones((6, 5, 4), np.uint8))
        small = write_volume(tmp_path / "small.nii.gz", np.ones((3, 5, 4), np.uint8))
        moved = write_volume(tmp_path / "moved.nii.gz", np.ones((6, 5, 4), np.uint8), np.diag([2.0, 1, 1, 1]))
        (tmp_path / "broken.nii.gz").write_bytes(b"nonsense")
        masks = {"1": fits, "2": small, "3": moved, "4": tmp_path / "broken.nii.gz", "5": None}
        records = [
            {"subject": name, "t1": str(image), "brain_mask": str(mask) if mask else None}
            for name, mask in masks.items()
        ]
        found = find_mask_problems(records, ["t1"])
        assert list(found) == ["2", "3", "4"]
        assert "has 3 x 5 x 4 voxels, 6 x 5 x 4 its image" in found["2"].what
        assert "another affine" in found["3"].what
        assert "not NIfTI" in found["4"].what


def ball(radius: float) -> np.ndarray:
    """In a cube of 20 voxels."""
    squared = sum((axis - 9.5) ** 2 for axis in np.ogrid[:20, :20, :20])
    return (squared <= radius**2).astype(np.int16)
