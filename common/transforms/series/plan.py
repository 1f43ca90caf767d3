"""The slices that are taken of each series of a patient, and how they are scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import nibabel as nib
import numpy as np
from nibabel.orientations import apply_orientation
from numpy.typing import NDArray

from common.errors import DatasetError, KnobError, Problem
from common.formats.series import SliceFiles, list_slices
from common.formats.voxel_hashes import hash_each
from common.transforms.geometry import orientation_of
from common.transforms.pictures.cache import check_size, resize_plane

BRIGHTEST_PERCENTILE = 99.9
"""Of the pixels above the darkest one: single pixels may be many times brighter than all others."""

ROUNDING = 1e-6
"""Of an index: 0.1 times 10 is slice 1, whatever floating point says."""


AS_SCANNED = {**dict.fromkeys("IS", "LPS"), **dict.fromkeys("AP", "LIP"), **dict.fromkeys("LR", "PIR")}
"""Columns, rows and slices of an axial, coronal and sagittal series, by where a volume's last axis leads."""


class Slices(Protocol):
    """The slices of a series, in files or in memory."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> NDArray[np.float32]:
        """float32 (y, x)."""
        ...


@dataclass(frozen=True)
class SeriesPlan:
    """What to take of each patient's series; see :func:`prepare_series`.

    Args:
        modalities: in the order of the channels.
        count: slices per series, at most.
        share: of the series that the slices are spread over, above 0 and at most 1.
        size: pixels along x and y.

    Raises:
        KnobError: a setting has no meaning.
    """

    modalities: tuple[str, ...]
    count: int
    share: float
    size: tuple[int, int]

    def __post_init__(self) -> None:
        problems = []
        if not self.modalities:
            problems.append(Problem("no modality is chosen", "--modalities", "Name one or more, such as [flair]."))
        if self.count < 1:
            hint = "Ask for at least 1."
            problems.append(Problem(f"{self.count} slices per subject cannot be taken", "slices_per_subject", hint))
        if not 0 < self.share <= 1:
            hint = "Use a number above 0, 1 at most."
            problems.append(Problem(f"{self.share} is no share of a series", "central_share", hint))
        if problems:
            raise KnobError(problems)

    @classmethod
    def read(
        cls, modalities: Sequence[str], slices_per_subject: int, size: Sequence[int], central_share: float
    ) -> SeriesPlan:
        """From the arguments of :func:`prepare_series`.

        Args:
            modalities: in the order of the channels.
            slices_per_subject: at most.
            size: pixels along x and y.
            central_share: the middle part of each series.

        Raises:
            KnobError: a setting has no meaning.
        """
        return cls(tuple(modalities), slices_per_subject, central_share, check_size(size))


def spread_slices(depth: int, count: int, share: float) -> list[int]:
    """Indices of ``count`` slices evenly spread over the middle ``share`` of ``depth``, ascending.

    Each is the middle of one of ``count`` equal parts. Where the share has fewer slices than ``count``, it is enlarged,
    so that no slice is taken twice unless the series itself has fewer.

    Args:
        depth: slices of the series.
        count: to take.
        share: of the series, above 0 and at most 1.
    """
    parts = (np.arange(count) + 0.5) / count
    heights = 0.5 + min(1.0, max(share, count / depth)) * (parts - 0.5)
    return np.clip(np.floor(heights * depth + ROUNDING), 0, depth - 1).astype(int).tolist()


def take_series(
    folders: Mapping[str, str], subject: str, plan: SeriesPlan
) -> tuple[NDArray[np.float16], dict[str, dict[str, Any]]]:
    """Decode the slices of one patient's series.

    Args:
        folders: of the series, by modality; a modality that is absent gives zeros.
        subject: for messages.
        plan: what to take.

    Returns:
        float16 (slice, modality, x, y), no slice twice; and ``positions``, ``planes``, ``missing_slices`` and
        ``voxel_hashes`` (of the middle slice, whatever the plan), each by modality.

    Raises:
        DatasetError: everything that is wrong with any of the series, in one error.
    """
    problems: list[Problem] = []
    found: dict[str, SliceFiles] = {}
    for modality, folder in folders.items():
        try:
            found[modality] = list_slices(folder)
        except DatasetError as error:
            problems += error.problems
    positions = _positions(found, plan)
    depth = max((len(taken) for taken in positions.values()), default=0)
    middle: dict[str, np.ndarray] = {}
    slices = np.zeros((depth, len(plan.modalities), *plan.size), dtype=np.float16)
    for modality, series in found.items():
        try:
            channel = plan.modalities.index(modality)
            slices[:, channel] = _take(series, positions[modality], plan.size, folders[modality], subject)
            middle[modality] = series.read(len(series) // 2)
        except DatasetError as error:
            problems += error.problems
    if problems:
        raise DatasetError(problems)
    return slices, {
        "positions": positions,
        "planes": {modality: series.plane for modality, series in found.items()},
        "missing_slices": {modality: series.missing for modality, series in found.items()},
        "voxel_hashes": hash_each(middle),
    }


def take_loaded_series(
    channels: Sequence[np.ndarray], affine: np.ndarray, subject: str, plan: SeriesPlan
) -> tuple[NDArray[np.float16], dict[str, list[int]]]:
    """The slices of one patient's series that are in memory as volumes; those of a NIfTI file of the same scan too.

    The slices are taken along the last axis, and turned as a scanner writes them.

    Args:
        channels: a volume (x, y, z) per modality of the plan.
        affine: (4, 4), indices to millimetres in RAS+.
        subject: for messages.
        plan: what to take.

    Returns:
        float16 (slice, modality, x, y) and ``positions``, as :func:`take_series`.

    Raises:
        DatasetError: other channels than the plan's, pixels that are not finite, or all equal.
    """
    if len(channels) != len(plan.modalities):
        what = f"there are {len(channels)} channels, and the network reads {', '.join(plan.modalities)}"
        raise DatasetError(Problem(what, subject, "Give one volume per modality, in this order."))
    found = {
        modality: _LoadedSlices(as_scanned(np.asarray(channel), affine))
        for modality, channel in zip(plan.modalities, channels, strict=True)
    }
    positions = _positions(found, plan)
    taken = [_take(series, positions[name], plan.size, subject, subject) for name, series in found.items()]
    return np.stack(taken, axis=1).astype(np.float16), positions


def as_scanned(volume: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """A volume with its axes along the columns and rows of DICOM slices, and from the first slice to the last."""
    through = nib.orientations.aff2axcodes(affine)[2]
    return apply_orientation(volume, orientation_of(affine, AS_SCANNED[through]))


@dataclass(frozen=True)
class _LoadedSlices:
    """Slices of a volume (x, y, slice)."""

    volume: np.ndarray

    def __len__(self) -> int:
        return self.volume.shape[2]

    def read(self, index: int) -> NDArray[np.float32]:
        """float32 (y, x)."""
        return np.ascontiguousarray(self.volume[..., index].T, dtype=np.float32)


def _positions(found: Mapping[str, Slices], plan: SeriesPlan) -> dict[str, list[int]]:
    spread = {name: spread_slices(len(series), plan.count, plan.share) for name, series in found.items()}
    return _without_repeats(spread)


def _without_repeats(spread: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """The same indices by modality without those that repeat an earlier image in all of its channels."""
    images = list(dict.fromkeys(zip(*spread.values(), strict=True)))
    return {modality: [image[channel] for image in images] for channel, modality in enumerate(spread)}


def _take(
    series: Slices, positions: Sequence[int], size: tuple[int, int], folder: str, subject: str
) -> NDArray[np.float32]:
    """(slice, x, y) of one series, from 0 at its darkest pixel to 1."""
    planes = {index: resize_plane(series.read(index), size).T for index in dict.fromkeys(positions)}
    stack = np.stack([planes[index] for index in positions])
    if not np.isfinite(stack).all():
        hint = f"Replace the files, or use --exclude {subject}."
        raise DatasetError(Problem("some of its pixels are NaN or infinite", folder, hint))
    stack -= stack.min()
    bright = stack[stack > 0]
    if not bright.size:
        hint = f"The series is empty where the brain should be: use --exclude {subject}."
        raise DatasetError(Problem(f"all pixels of its {len(planes)} middle slices are equal", folder, hint))
    return np.clip(stack / np.percentile(bright, BRIGHTEST_PERCENTILE), 0, 1)
