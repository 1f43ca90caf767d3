"""The slices that are taken of each series of a patient, and how they are scaled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import DatasetError, KnobError, Problem
from common.formats.series import SliceFiles, list_slices
from common.formats.voxel_hashes import VoxelHashes, hash_voxels
from common.transforms.pictures.cache import check_size, resize_plane

BRIGHTEST_PERCENTILE = 99.9
"""Of the pixels above the darkest one: single pixels may be many times brighter than all others."""

ROUNDING = 1e-6
"""Of an index: 0.1 times 10 is slice 1, whatever floating point says."""


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
    spread = {name: spread_slices(len(series.files), plan.count, plan.share) for name, series in found.items()}
    positions = _without_repeats(spread)
    depth = max((len(taken) for taken in positions.values()), default=0)
    hashes: dict[str, VoxelHashes] = {}
    slices = np.zeros((depth, len(plan.modalities), *plan.size), dtype=np.float16)
    for modality, series in found.items():
        try:
            channel = plan.modalities.index(modality)
            slices[:, channel] = _take(series, positions[modality], plan.size, folders[modality], subject)
            if middle := hash_voxels(series.read(len(series.files) // 2)):
                hashes[modality] = middle
        except DatasetError as error:
            problems += error.problems
    if problems:
        raise DatasetError(problems)
    return slices, {
        "positions": positions,
        "planes": {modality: series.plane for modality, series in found.items()},
        "missing_slices": {modality: series.missing for modality, series in found.items()},
        "voxel_hashes": hashes,
    }


def _without_repeats(spread: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """The same indices by modality without those that repeat an earlier image in all of its channels."""
    images = list(dict.fromkeys(zip(*spread.values(), strict=True)))
    return {modality: [image[channel] for image in images] for channel, modality in enumerate(spread)}


def _take(
    series: SliceFiles, positions: Sequence[int], size: tuple[int, int], folder: str, subject: str
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
