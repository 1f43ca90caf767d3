"""From a patient's files to normalised slices: the one path that training and inference share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.cohorts.checks import AFFINE_TOLERANCE, check_arrays
from common.cohorts.nifti import Volume, read_nifti
from common.cohorts.records import BRATS_MASK_VALUES, MODALITIES, Record
from common.errors import DatasetError, Problem
from common.transforms.geometry import BrainGeometry, cut_brain, find_brain
from common.transforms.intensity import z_score_in_brain

SPACING_TOLERANCE = 0.1
"""Slices whose pixels are more than 10 % larger or smaller than those a network has learned from mislead it."""


@dataclass(frozen=True)
class PreparedCase:
    """A patient's brain, ready for a network.

    Args:
        image: float16 (z, channel, y, x), z-scores in the brain's box, axial slices first so that one can be read alone.
        classes: uint8 (z, y, x), 0 background, 1 NCR, 2 ED, 3 ET; ``None`` without a mask.
        geometry: the box, and the way back to the files' space.
    """

    image: np.ndarray
    classes: np.ndarray | None
    geometry: BrainGeometry


def read_case(
    record: Record, modalities: Sequence[str] = MODALITIES, missing_modality: str = "error"
) -> dict[str, Volume]:
    """Read a patient's modalities, from a file each or from one file with a channel each (key ``image``).

    Args:
        record: the patient.
        modalities: which ones, in the order of the channels.
        missing_modality: ``error``, or ``zero`` to fill a modality that is absent with background.

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """
    if record.get("image"):
        return _split_channels(read_nifti(record["image"]), str(record["image"]), modalities)
    absent = [name for name in modalities if not record.get(name)]
    if len(absent) == len(modalities) or (absent and missing_modality != "zero"):
        mend = (
            f"Add the file, or pass --missing_modality zero to go on without it (modalities: {', '.join(modalities)})."
        )
        raise DatasetError([Problem(f"modality {name} is missing", record["subject"], mend) for name in absent])
    volumes: dict[str, Volume] = {}
    problems: list[Problem] = []
    for name in modalities:
        try:
            if name not in absent:
                volumes[name] = read_nifti(record[name])
        except DatasetError as error:
            problems.extend(error.problems)
    _refuse(problems or _compare_spaces(volumes, record))
    first = next(iter(volumes.values()))
    for name in absent:
        volumes[name] = Volume(np.zeros(first.array.shape, dtype=np.int16), first.affine, first.header)
    return {name: volumes[name] for name in modalities}


def prepare_case(record: Record, modalities: Sequence[str] = MODALITIES) -> PreparedCase:
    """Read, check, crop to the brain and normalise one patient, with the mask where there is one.

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """
    volumes = read_case(record, modalities)
    first = next(iter(volumes.values()))
    mask = read_nifti(record["seg"]).array if record.get("seg") else None
    values = tuple(record.get("mask_values") or BRATS_MASK_VALUES)
    channels = [volume.array for volume in volumes.values()]
    _refuse(check_arrays(dict(zip(modalities, channels, strict=True)), mask, values, record))
    image, geometry = prepare_image(channels, first.affine, record["subject"])
    classes = None if mask is None else class_indices(cut_brain(mask, geometry).T, values)
    return PreparedCase(image, classes, geometry)


def prepare_image(channels: Sequence[np.ndarray], affine: np.ndarray, subject: str) -> tuple[np.ndarray, BrainGeometry]:
    """Crop to the brain and normalise.

    Args:
        channels: a volume (x, y, z) a modality, as stored.
        affine: (4, 4), of them all.
        subject: whose they are, for messages.

    Returns:
        float16 (z, channel, y, x) of the brain's box, and the box.

    Raises:
        DatasetError: every voxel is zero.
    """
    geometry = find_brain(channels, affine)
    if geometry is None:
        raise DatasetError(Problem("every voxel is zero", subject, "Leave the patient out with --exclude."))
    return np.stack([z_score_in_brain(cut_brain(channel, geometry).T) for channel in channels], axis=1), geometry


def spacing_problem(spacing: Sequence[float], expected: Sequence[float] | None, subject: str) -> list[Problem]:
    """A problem if voxels measure other than those that a network has learned from, along any axis (mm, LPS)."""
    if not expected or np.allclose(spacing, expected, rtol=SPACING_TOLERANCE, atol=0):
        return []
    found, wanted = (" x ".join(f"{size:.2f}" for size in sizes) for sizes in (spacing, expected))
    what = f"voxels measure {found} mm where {wanted} mm is expected"
    return [Problem(what, subject, f"Resample the images to {wanted} mm first.")]


def class_indices(mask: np.ndarray, mask_values: Sequence[int] = BRATS_MASK_VALUES) -> np.ndarray:
    """Mask values to 0 background, 1 NCR, 2 ED, 3 ET, as uint8 of the same shape."""
    table = np.zeros(int(max(mask_values)) + 1, dtype=np.uint8)
    table[list(mask_values)] = np.arange(1, len(mask_values) + 1, dtype=np.uint8)
    return table[mask.astype(np.uint8, copy=False)]


def mask_values_of(classes: np.ndarray, mask_values: Sequence[int] = BRATS_MASK_VALUES) -> np.ndarray:
    """The inverse of :func:`class_indices`."""
    return np.asarray([0, *mask_values], dtype=np.uint8)[classes]


def _split_channels(volume: Volume, path: str, modalities: Sequence[str]) -> dict[str, Volume]:
    if volume.array.ndim != 4 or volume.array.shape[3] != len(modalities):
        expected = f"(x, y, z, {len(modalities)}) in the order {', '.join(modalities)}"
        problem = f"has shape {volume.array.shape} where {expected} is expected"
        raise DatasetError(Problem(problem, path, "Give one file with a channel a modality, or a file a modality."))
    return {
        name: Volume(volume.array[..., channel], volume.affine, volume.header)
        for channel, name in enumerate(modalities)
    }


def _compare_spaces(volumes: Mapping[str, Volume], record: Record) -> list[Problem]:
    first_name, first = next(iter(volumes.items()))
    mend = "Register and resample the patient's images to one grid first."
    return [
        Problem(f"{name} and {first_name} do not share shape and affine", record["subject"], mend)
        for name, volume in volumes.items()
        if volume.array.shape != first.array.shape
        or not np.allclose(volume.affine, first.affine, rtol=0, atol=AFFINE_TOLERANCE)
    ]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise DatasetError(problems)
