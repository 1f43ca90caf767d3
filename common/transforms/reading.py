"""A patient's files read and checked, as stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.cohorts.checks import check_arrays, check_headers, list_files, split_channels, whole_labels
from common.errors import DatasetError, Problem
from common.formats.nifti import Volume
from common.formats.volumes import read_volumes
from common.records import BRATS_MASK_VALUES, MASK_CLASSES, MODALITIES, Record, value_of

NAMELESS = "without a name"
"""The name of a patient whose file comes from a viewer, without a name."""


def read_case(
    record: Record, modalities: Sequence[str] = MODALITIES, missing_modality: str = "error"
) -> dict[str, Volume]:
    """Read a patient's modalities, from one file per modality or from one file with a channel for each (key ``image``).

    Args:
        record: the patient.
        modalities: which ones, in the order of the channels.
        missing_modality: ``error``, or ``zero`` to fill a modality that is absent with background; a file that is all
            zero then counts as absent.

    Returns:
        The volume of each modality.

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """
    volumes = read_files({**record, "seg": None}, modalities, missing_modality)
    images = {name: volume.array for name, volume in volumes.items()}
    if missing_modality == "zero":
        images = {name: array for name, array in images.items() if array.any()}
    refuse(check_arrays(images, None, (), {"subject": NAMELESS, **record}))
    first = next(iter(volumes.values()))
    absent = Volume(np.zeros(first.array.shape, dtype=first.array.dtype), first.affine, first.header)
    return {name: volumes.get(name, absent) for name in modalities}


def read_checked(record: Record, modalities: Sequence[str]) -> tuple[list[np.ndarray], np.ndarray | None, np.ndarray]:
    """Read and check a patient's modalities, and the mask where there is one.

    Returns:
        One volume (x, y, z) per modality, as stored; the mask with whole labels, or ``None``; their affine (4, 4).

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """
    volumes = read_files(record, modalities)
    affine = next(iter(volumes.values())).affine
    mask = whole_labels(volumes.pop("seg").array) if record.get("seg") else None
    images = {name: volume.array for name, volume in volumes.items()}
    refuse(check_arrays(images, mask, known_labels(record), record))
    return list(images.values()), mask, affine


def mask_values_in(record: Mapping[str, Any]) -> tuple[int, ...]:
    """How the patient's mask stores the classes.

    Returns:
        The values of NCR, ED and ET, and of the resection cavity where it is a class.
    """
    return tuple(record.get("mask_values") or BRATS_MASK_VALUES)


def known_labels(record: Record) -> tuple[int, ...]:
    """All values that the patient's mask may hold besides 0."""
    return (*mask_values_in(record), *record.get("background_values", ()))


def mask_settings(record: Record) -> list[Any]:
    """What decides how the patient's mask is read, for the cache's key."""
    background = list(record.get("background_values", ()))
    return [*(record.get("mask_values") or ()), *([background] if background else [])]


def count_tumour_voxels(mask: np.ndarray, record: Record) -> int:
    """How many voxels of a mask, as stored, show tumour; a resection cavity is none."""
    others = known_labels(record)[len(MASK_CLASSES) :]
    return int(np.count_nonzero(mask)) - sum(int(np.count_nonzero(mask == value)) for value in others)


def read_files(record: Record, modalities: Sequence[str], missing_modality: str = "error") -> dict[str, Volume]:
    """Read the files of a patient and check that they are on one grid.

    Args:
        record: the patient.
        modalities: that are read where they are there.
        missing_modality: ``error``, or ``zero`` to go on without an absent one.

    Returns:
        The volumes by modality, and ``seg`` where there is a mask.
    """
    images = [name for name in ("image", *modalities) if record.get(name)]
    absent = [] if "image" in images else [name for name in modalities if name not in images]
    if absent and (missing_modality != "zero" or not images):
        known = ", ".join(modalities)
        hint = f"Add the file, or pass --missing_modality zero to go on without it (modalities: {known})."
        where = str(record.get("subject", "the patient"))
        raise DatasetError([Problem(f"modality {name} is missing", where, hint) for name in absent])
    record = {"subject": NAMELESS, **record}
    check_headers([record], modalities)
    volumes, problems = read_volumes({key: value_of(record, key) for key in list_files(record, modalities)})
    refuse(problems)
    if "image" in volumes:
        volumes = {**_split_channels(volumes.pop("image"), modalities), **volumes}
    return volumes


def _split_channels(volume: Volume, modalities: Sequence[str]) -> dict[str, Volume]:
    pairs = zip(modalities, split_channels(volume.array), strict=True)
    return {name: Volume(channel, volume.affine, volume.header) for name, channel in pairs}


def refuse(problems: Sequence[Problem]) -> None:
    """Raise all problems at once, if there are any."""
    if problems:
        raise DatasetError(problems)
