"""Slices of DICOM series, or of series exported as images, in the cache: decoded once, at the working size.

A patient's series need not lie on one grid: slices are taken at the same relative heights of each, resized, and
stacked as the channels of one image. How they are normalised is left to the transforms.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.errors import DatasetError, KnobError, Problem
from common.files import write_json
from common.formats.series import SliceFiles, list_slices
from common.records import MODALITIES, Record
from common.transforms.cases import Case, entry_name, prepare_each
from common.transforms.image_cache import check_size, resize_plane

SERIES_VERSION = 2
"""Raise it when prepared series change in a way that the key's other parts do not tell."""

BRIGHTEST_PERCENTILE = 99.9
"""Of the pixels above the darkest one: single pixels may be many times brighter than all others."""

ROUNDING = 1e-6
"""Of an index: 0.1 times 10 is slice 1, whatever floating point says."""

ARRAY = "slices.npy"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SeriesPlan:
    """What to take of each patient's series; see :func:`prepare_series`.

    Args:
        modalities: in the order of the channels.
        count: slices a series, at most.
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
            mend = "Ask for at least 1."
            problems.append(Problem(f"{self.count} slices a subject cannot be taken", "slices_per_subject", mend))
        if not 0 < self.share <= 1:
            mend = "Use a number above 0, 1 at most."
            problems.append(Problem(f"{self.share} is no share of a series", "central_share", mend))
        if problems:
            raise KnobError(problems)

    @classmethod
    def read(
        cls, modalities: Sequence[str], slices_per_subject: int, size: Sequence[int], central_share: float
    ) -> SeriesPlan:
        """From the arguments of :func:`prepare_series`.

        Raises:
            KnobError: a setting has no meaning.
        """
        return cls(tuple(modalities), slices_per_subject, central_share, check_size(size))


def prepare_series(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    slices_per_subject: int = 16,
    size: Sequence[int] = (224, 224),
    central_share: float = 0.6,
    workers: int | None = None,
) -> list[Case]:
    """Decode slices of every patient that the cache does not hold yet.

    Args:
        records: with the folder of a series under each of ``modalities``; see
            :func:`~common.cohorts.datasets.rsna_miccai.read_rsna_miccai`.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        modalities: in the order of the channels. A patient without one of them gets zeros.
        slices_per_subject: at most; a patient whose series have fewer gives all of them, none twice.
        size: pixels along x and y, to which a slice is resized whatever its proportions.
        central_share: the middle part of each series over which the slices are evenly spread, above 0 and at most 1.
        workers: threads; by default one a core, four at most.

    Returns:
        Each record with ``cached`` (path of the slices, float16 (slice, modality, x, y), each series scaled to [0, 1]),
        ``depth`` (how many slices there are), ``modalities``, ``positions`` (the slices' indices in each series, by
        modality), ``planes`` (``axial``, ``coronal``, ``sagittal`` or ``None``, by modality) and ``missing_slices`` (by
        modality).

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: everything that is wrong with any of the series, in one error.
        OutputError: the cache cannot be written.
    """
    plan = SeriesPlan.read(modalities, slices_per_subject, size, central_share)
    cases = prepare_each(records, partial(_cached_series, plan=plan), cache_dir, workers, axes=0)
    gapped = sum(any(case["missing_slices"].values()) for case in cases)
    if gapped:
        logger.warning("Series of %d patients lack slices between others; their slices are used one by one", gapped)
    return cases


def spread_slices(depth: int, count: int, share: float) -> list[int]:
    """Indices of ``count`` slices evenly spread over the middle ``share`` of ``depth``, ascending.

    Each is the middle of one of ``count`` equal parts. The share grows where it holds fewer slices, so that none is
    taken twice unless the series itself has fewer.
    """
    parts = (np.arange(count) + 0.5) / count
    heights = 0.5 + min(1.0, max(share, count / depth)) * (parts - 0.5)
    return np.clip(np.floor(heights * depth + ROUNDING), 0, depth - 1).astype(int).tolist()


def _cached_series(record: Record, folder: Path, plan: SeriesPlan) -> Case:
    folders = {key: record[key] for key in plan.modalities if record.get(key)}
    entry = folder / entry_name("series", folders, plan.modalities, [SERIES_VERSION, *astuple(plan)])
    content = open_entry(entry, [ARRAY], lambda: _store_series(folders, record["subject"], entry, plan))
    depth = max(map(len, content["positions"].values()))
    prepared = {"cached": str(entry / ARRAY), "depth": depth, "modalities": list(plan.modalities)}
    return {**record, **prepared, **content}


def _store_series(folders: Mapping[str, str], subject: str, entry: Path, plan: SeriesPlan) -> None:
    taken, content = take_series(folders, subject, plan)
    save_array(entry / ARRAY, taken)
    write_json(entry / DESCRIPTION, content)


def take_series(
    folders: Mapping[str, str], subject: str, plan: SeriesPlan
) -> tuple[NDArray[np.float16], dict[str, dict[str, Any]]]:
    """Decode the slices of one patient's series.

    Args:
        folders: of the series, by modality; a modality that is absent gives zeros.
        subject: for messages.
        plan: what to take.

    Returns:
        float16 (slice, modality, x, y), no slice twice; and ``positions``, ``planes`` and ``missing_slices``, each by
        modality.

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
    slices = np.zeros((depth, len(plan.modalities), *plan.size), dtype=np.float16)
    for modality, series in found.items():
        try:
            channel = plan.modalities.index(modality)
            slices[:, channel] = _take(series, positions[modality], plan.size, folders[modality], subject)
        except DatasetError as error:
            problems += error.problems
    if problems:
        raise DatasetError(problems)
    return slices, {
        "positions": positions,
        "planes": {modality: series.plane for modality, series in found.items()},
        "missing_slices": {modality: series.missing for modality, series in found.items()},
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
        mend = f"Replace the files, or use --exclude {subject}."
        raise DatasetError(Problem("some of its pixels are NaN or infinite", folder, mend))
    stack -= stack.min()
    bright = stack[stack > 0]
    if not bright.size:
        mend = f"The series is empty where a brain should be: use --exclude {subject}."
        raise DatasetError(Problem(f"all pixels of its {len(planes)} middle slices are equal", folder, mend))
    return np.clip(stack / np.percentile(bright, BRIGHTEST_PERCENTILE), 0, 1)
