"""From a patient's files to the normalised slices of the brain and its mask, in training as in inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from common.cohorts.checks import check_arrays, whole_labels
from common.errors import DatasetError, KnobError, Problem
from common.formats.voxel_hashes import VoxelHashes, hash_each
from common.records import BRATS_MASK_VALUES, MODALITIES, Record, scan_of, without_key
from common.transforms.background import with_zero_background
from common.transforms.geometry import BrainGeometry, cut_brain, find_brain
from common.transforms.intensity import z_score_by_slice, z_score_in_brain
from common.transforms.reading import known_labels, mask_values_in, read_checked, read_files, refuse

STANDARDISED_BY = ("volume", "slice")
"""Z-scores of the brain in the volume; or of all pixels of each slice, as in Kaggle's HDF5 slices of BraTS 2020."""

SPACING_TOLERANCE = 0.1
"""Pixels may be 10 % larger or smaller than those that a network was trained on."""


@dataclass(frozen=True)
class PreparedCase:
    """A patient's brain, ready for a network.

    Args:
        image: float16 (z, channel, y, x), z-scores in the box, axial slices first: one can be read alone.
        classes: uint8 (z, y, x), 0 background, 1 NCR, 2 ED, 3 ET, 4 resection cavity where it is a class; ``None``
            without a mask.
        geometry: the brain's box, or that of the whole volume, and the inverse to the files' space.
        voxel_hashes: of the images as they were read, by modality.
        mask_on_background: share of the mask that lies where no image shows the brain; ``None`` where no voxel is
            tumour.
    """

    image: np.ndarray
    classes: np.ndarray | None
    geometry: BrainGeometry
    voxel_hashes: Mapping[str, VoxelHashes]
    mask_on_background: float | None = None


def prepare_case(
    record: Record, modalities: Sequence[str] = MODALITIES, standardise_by: str = "volume"
) -> PreparedCase:
    """Read, check, crop to the brain and normalise one patient, with the mask where there is one.

    Args:
        record: the patient.
        modalities: in the order of the channels.
        standardise_by: as of :func:`prepare_image`.

    Returns:
        The arrays and the box.

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """
    channels, mask, affine = read_checked(record, modalities)
    image, geometry = prepare_image(channels, affine, scan_of(record), standardise_by)
    hashes = hash_each(dict(zip(modalities, channels, strict=True)), affine)
    if mask is None:
        return PreparedCase(image, None, geometry, hashes)
    boxed = cut_brain(mask, geometry)
    classes = _classes(boxed.T, record)
    outside = int(np.count_nonzero(mask) - np.count_nonzero(boxed))
    background = (
        image[:, :, :1, :1] if standardise_by == "slice" else np.float16(0)
    )  # no brain in the corner of a volume
    shown = (image != background).any(axis=1)
    return PreparedCase(image, classes, geometry, hashes, _share_on_background(shown, classes, outside))


def _share_on_background(shown: np.ndarray, classes: np.ndarray, outside: int) -> float | None:
    tumour = classes > 0
    total = int(tumour.sum()) + outside
    return (int((tumour & ~shown).sum()) + outside) / total if total else None


def prepare_mask(record: Record) -> tuple[np.ndarray, BrainGeometry]:
    """Read and check a patient's mask alone, cropped to the tumour.

    Returns:
        Class indices as in :class:`PreparedCase`, uint8 (z, y, x) of the tumour's box, and the box.

    Raises:
        DatasetError: there is no mask, it is empty, or everything that is wrong with it.
    """
    if not record.get("seg"):
        what, hint = "there is no mask (seg)", "Add it, or leave the patient out with --exclude."
        raise DatasetError(Problem(what, scan_of(record), hint))
    volume = read_files(without_key(record, "image"), ())["seg"]
    mask = whole_labels(volume.array)
    refuse(check_arrays({}, mask, known_labels(record), record))
    classes = _classes(mask, record)
    geometry = find_brain([classes], volume.affine)
    if geometry is None:
        where = f"{record['seg']} (patient {scan_of(record)})"
        raise DatasetError(Problem("the mask is empty", where, "Leave the patient out with --exclude."))
    return cut_brain(classes, geometry).T, geometry


def prepare_image(
    channels: Sequence[np.ndarray],
    affine: np.ndarray,
    subject: str,
    standardise_by: str = "volume",
    whole: bool = False,
) -> tuple[np.ndarray, BrainGeometry]:
    """Crop to the brain and normalise.

    Args:
        channels: one volume (x, y, z) per modality, as stored.
        affine: (4, 4), of them all.
        subject: name of the patient, for messages.
        standardise_by: one of :data:`STANDARDISED_BY`. Slices that are standardised alone are not cropped, since their
            background is not zero.
        whole: do not crop.

    Returns:
        float16 (z, channel, y, x) of the brain's box, or of the whole volume, and the box.

    Raises:
        DatasetError: there is no background, or every voxel is zero.
        KnobError: there is no such way to standardise.
    """
    check_standardisation(standardise_by)
    channels = with_zero_background(channels, subject)
    geometry = find_brain(channels, affine)
    if geometry is None:
        raise DatasetError(Problem("every voxel is zero", subject, "Leave the patient out with --exclude."))
    scale = z_score_by_slice if standardise_by == "slice" else z_score_in_brain
    if whole or standardise_by == "slice":
        geometry = geometry.uncropped()
    return np.stack([scale(cut_brain(channel, geometry).T) for channel in channels], axis=1), geometry


def check_standardisation(standardise_by: str) -> None:
    """Refuse what is none of :data:`STANDARDISED_BY`.

    Raises:
        KnobError: it is none.
    """
    if standardise_by not in STANDARDISED_BY:
        hint = f"Choose one of {', '.join(STANDARDISED_BY)}."
        raise KnobError(Problem(f"{standardise_by!r} is no choice", "--standardise_by", hint))


def spacing_problem(spacing: Sequence[float], expected: Sequence[float] | None, subject: str) -> list[Problem]:
    """Compare voxels with those that a network was trained on.

    Args:
        spacing: mm along the axes (LPS).
        expected: the same, of the training data; ``None`` where that is not known.
        subject: name of the patient, for the message.

    Returns:
        A problem where they differ along any axis.
    """
    if not expected or np.allclose(spacing, expected, rtol=SPACING_TOLERANCE, atol=0):
        return []
    found, wanted = (" x ".join(f"{size:.2f}" for size in sizes) for sizes in (spacing, expected))
    what = f"voxels measure {found} mm where {wanted} mm is expected"
    return [Problem(what, subject, f"Resample the images to {wanted} mm first.")]


def class_indices(
    mask: np.ndarray, mask_values: Sequence[int] = BRATS_MASK_VALUES, background_values: Sequence[int] = ()
) -> np.ndarray:
    """Mask values to 0 background, 1 NCR, 2 ED, 3 ET and so on, as uint8 of the same shape.

    Args:
        mask: of any shape.
        mask_values: of the classes, in the order of their indices from 1.
        background_values: further ones that are background, besides 0.
    """
    known = [*mask_values, *background_values]
    table = np.zeros(int(max(known)) + 1, dtype=np.uint8)
    table[list(mask_values)] = np.arange(1, len(mask_values) + 1, dtype=np.uint8)
    return table[mask.astype(_smallest_type(known), copy=False)]


def label_values(mask_values: Sequence[int], classes: int) -> list[int]:
    """The values under which a network's classes are stored, as many as it has besides background.

    A class that the data set has no value for gets the first one above all others.
    """
    known = [int(value) for value in mask_values]
    added = range(max(known) + 1, max(known) + 1 + max(0, classes - len(known)))
    return [*known, *added][:classes]


def mask_values_of(classes: np.ndarray, mask_values: Sequence[int] = BRATS_MASK_VALUES) -> np.ndarray:
    """The inverse of :func:`class_indices`: uint8, or int32 where a value needs it."""
    return np.asarray([0, *mask_values], dtype=_smallest_type(mask_values))[classes]


def _classes(mask: np.ndarray, record: Record) -> np.ndarray:
    return class_indices(mask, mask_values_in(record), record.get("background_values", ()))


def _smallest_type(mask_values: Sequence[int]) -> type[np.integer]:
    return np.uint8 if max(mask_values) < 256 else np.int32
