"""Slices of DICOM series, or of series exported as images, in the cache: decoded once, at the working size.

A patient's series need not have the same grid: slices are taken at the same relative heights of each, resized, and
stacked as the channels of one image. How they are normalised is left to the transforms.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import cast

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.files import write_json
from common.records import MODALITIES, Record, value_of
from common.transforms.cases import Case, entry_name, prepare_each
from common.transforms.series.plan import SeriesPlan, take_series

SERIES_VERSION = 3
"""Raise it when prepared series change in a way that the other parts of the key do not show."""

ARRAY = "slices.npy"

logger = logging.getLogger(__name__)


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
        size: pixels along x and y, to which a slice is resized; its proportions are not kept.
        central_share: the middle part of each series over which the slices are evenly spread, above 0 and at most 1.
        workers: threads; by default one per core, four at most.

    Returns:
        Each record with ``cached`` (path of the slices, float16 (slice, modality, x, y), each series scaled to [0, 1]),
        ``depth`` (how many slices there are), ``modalities``, ``positions`` (the slices' indices in each series, by
        modality), ``planes`` (``axial``, ``coronal``, ``sagittal`` or ``None``, by modality), ``missing_slices`` (by
        modality) and ``voxel_hashes``.

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


def _cached_series(record: Record, folder: Path, plan: SeriesPlan) -> Case:
    folders = {key: value_of(record, key) for key in plan.modalities if record.get(key)}
    entry = folder / entry_name("series", cast(Record, folders), plan.modalities, [SERIES_VERSION, *astuple(plan)])
    content = open_entry(entry, [ARRAY], lambda: _store_series(folders, record["subject"], entry, plan))
    depth = max(map(len, content["positions"].values()))
    prepared: Case = {"cached": str(entry / ARRAY), "depth": depth, "modalities": list(plan.modalities)}
    return {**record, **prepared, **cast(Case, content)}


def _store_series(folders: Mapping[str, str], subject: str, entry: Path, plan: SeriesPlan) -> None:
    taken, content = take_series(folders, subject, plan)
    save_array(entry / ARRAY, taken)
    write_json(entry / DESCRIPTION, content)
