"""Volumes along the axes R, A, S, as programs that find brains want them, and their masks back on the volume's grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation, io_orientation, ornt_transform

from common.files import atomic_path
from common.formats.volumes import read_volume


def to_upright(image: str) -> nib.Nifti1Image:
    """A copy along the axes R, A, S, as plain floats.

    Raises:
        DatasetError: the volume cannot be read.
    """
    volume = read_volume(image)
    return nib.as_closest_canonical(nib.Nifti1Image(volume.array.astype(np.float32), volume.affine))


def save_mask(mask: np.ndarray, affine: np.ndarray, image: str, path: Path) -> None:
    """Write a mask of the upright copy, uint8 on the grid of the volume itself.

    Args:
        mask: (x, y, z), not zero in the brain.
        affine: (4, 4), of the upright copy.
        image: the volume.
        path: where the mask goes.

    Raises:
        DatasetError: the volume cannot be read.
    """
    volume = read_volume(image)
    turn = ornt_transform(io_orientation(affine), io_orientation(volume.affine))
    stored = apply_orientation(mask != 0, turn).astype(np.uint8)
    with atomic_path(path) as temporary:
        nib.save(nib.Nifti1Image(stored, volume.affine), temporary)
