"""Small scans, and how the same scan may be stored otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from common.records import MODALITIES

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])

Change = Callable[[nib.Nifti1Image], nib.Nifti1Image]


def same(image: nib.Nifti1Image) -> nib.Nifti1Image:
    """As it is."""
    return image


def write_scan(folder: Path, subject: str, seed: int, change: Change = same, ending: str = ".nii") -> dict[str, Any]:
    """Write a scan whose voxels ``seed`` decides; ``change`` says how its files store it."""
    rng = np.random.default_rng(seed)
    record: dict[str, Any] = {"subject": subject, "source": "test", "mask_values": [1, 2, 4], "grade": "HGG"}
    for name in (*MODALITIES, "seg"):
        array = np.zeros((16, 18, 12), np.int16)
        brain = (slice(2, 13), slice(3, 15), slice(2, 10))
        array[brain] = rng.choice([0, 1, 2, 4], (11, 12, 8)) if name == "seg" else rng.integers(9, 900, (11, 12, 8))
        record[name] = str(folder / f"{subject}_{name}{ending}")
        nib.save(change(nib.Nifti1Image(array, AFFINE)), record[name])
    return record


def stored_as(dtype: str) -> Change:
    return lambda image: nib.Nifti1Image(np.asanyarray(image.dataobj).astype(dtype), image.affine)


def scaled(image: nib.Nifti1Image) -> nib.Nifti1Image:
    stored = nib.Nifti1Image(4 * np.asanyarray(image.dataobj), image.affine)
    stored.header.set_slope_inter(0.25, 0)
    return stored


def reoriented(image: nib.Nifti1Image) -> nib.Nifti1Image:
    return image.as_reoriented(np.array([[2, 1], [0, -1], [1, -1]]))


def moved(move: Callable[[np.ndarray], np.ndarray]) -> Change:
    return lambda image: nib.Nifti1Image(move(np.asanyarray(image.dataobj)), image.affine)


SAVED_ANEW: dict[str, tuple[Change, str]] = {
    "of another type": (stored_as("float32"), ".nii"),
    "of another byte order": (stored_as(">i4"), ".nii"),
    "with a scale factor": (scaled, ".nii"),
    "compressed": (same, ".nii.gz"),
    "along other axes": (reoriented, ".nii"),
    "a second release": (lambda image: scaled(reoriented(image)), ".nii.gz"),
}
"""The change of the images, and the ending of their files."""

MOVES: dict[str, Change] = {
    "mirrored": moved(lambda array: array[::-1]),
    "shifted": moved(lambda array: np.roll(array, 1, axis=1)),
    "turned": moved(np.rot90),
    "padded": moved(lambda array: np.pad(array, 2)),
}
