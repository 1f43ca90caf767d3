"""Prepared cases on disk: decoded once, then read by slice through memory maps.

A case is keyed by its files' sizes and times and by how it was prepared, so a changed file or setting is prepared
again, and a stale case is never read. Only open memory maps are held in memory, however large the cohort.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from common.cache_folder import default_cache_dir, first_process_first
from common.copies.same_scans import same_scan_problems
from common.errors import DatasetError, Problem
from common.files import stable_hash
from common.formats.volumes import volume_stamp
from common.records import Record, scan_of, value_of
from common.transforms.geometry import BrainGeometry
from common.transforms.preparation import spacing_problem

MILLILITRE = 1000.0
"""In cubic millimetres."""

logger = logging.getLogger(__name__)


class Case(Record, total=False):
    """A record with what was prepared of it; which keys there are depends on the view.

    ``cached`` and ``cached_mask`` are paths of arrays, ``geometry`` the box or the grid as a dict, ``tumour_voxels``
    the NCR, ED and ET voxels of each axial slice, ``tumour_ml`` the whole tumour's volume, ``mask_on_background`` the
    share of the mask that no image shows, ``image_doubts`` what speaks against the images; ``positions`` are the
    indices of prepared slices.
    """

    cached: str | None
    cached_mask: str | None
    geometry: dict[str, Any]
    tumour_voxels: list[list[int]]
    tumour_ml: float | None
    mask_on_background: float | None
    image_doubts: list[str]
    modalities: list[str]
    positions: Any
    spacing: list[float]
    depth: int
    missing_slices: Mapping[str, int]
    brain_is_cut: bool


def prepare_each(
    records: Iterable[Record],
    prepare: Callable[[Record, Path], Case],
    cache_dir: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    axes: int = 3,
    compare: bool = True,
) -> list[Case]:
    """Prepare every patient that the cache does not hold yet; show progress, then the place and size of the cache.

    The same scan under two subjects is a problem; see :func:`~common.copies.same_scans.compare_scans`.

    Args:
        records: the patients.
        prepare: makes a case from a record, given the cache's folder.
        cache_dir: ``None`` for :func:`default_cache_dir`.
        workers: threads; by default one per core, four at most.
        axes: along how many of the working axes (x, y, z) all cases must have voxels of one size; 0 where they have
            no ``geometry``.
        compare: whether to look for the same scan under two subjects.

    Returns:
        One case per record, in the same order.

    Raises:
        DatasetError: everything that is wrong with any of the patients, in one error; the same scan twice, too.
        OutputError: the cache cannot be written.
    """
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    records = list(records)
    cases: list[Case] = []
    problems: list[Problem] = []

    def attempt(record: Record) -> Case | DatasetError:
        try:
            return prepare(record, folder)
        except DatasetError as error:
            return error

    begun = time.monotonic()
    with first_process_first(), ThreadPoolExecutor(workers or min(4, os.cpu_count() or 1)) as pool:
        results = pool.map(attempt, records)
        for result in tqdm(results, total=len(records), desc="Preparing cases", unit="case", leave=False):
            if isinstance(result, DatasetError):
                problems.extend(result.problems)
            else:
                cases.append(result)
    expected = common_spacing(cases)[:axes] if axes else []
    for case in cases if axes else ():
        problems += spacing_problem(case["geometry"]["spacing"][:axes], expected, scan_of(case))
    problems += same_scan_problems(cases) if compare else []
    if problems:
        raise DatasetError(problems)
    held = sum(_size(case) for case in cases)
    logger.info(
        "%d cases are prepared in %s (%.1f MB, %.1f s)", len(cases), folder, held / 1e6, time.monotonic() - begun
    )
    return cases


def entry_name(kind: str, record: Record, modalities: Sequence[str], settings: Sequence[Any]) -> str:
    """The name of a case's folder in the cache.

    Args:
        kind: one of :data:`KINDS`.
        record: the patient, whose files are part of the key.
        modalities: that are prepared.
        settings: everything else that decides how it is prepared.

    Raises:
        DatasetError: a file does not exist.
    """
    return f"{kind}-{stable_hash([_stamps(record, modalities), list(settings)])[:24]}"


def common_spacing(cases: Sequence[Case]) -> list[float]:
    """The median voxel size of a cohort in mm along the working axes, which a network trained on it expects."""
    return np.median([case["geometry"]["spacing"] for case in cases], axis=0).round(4).tolist() if cases else []


def tumour_millilitres(tumour_voxels: ArrayLike, spacing: Sequence[float]) -> float:
    """The whole tumour's volume from its voxels, by slice and class or in all, of ``spacing`` mm."""
    return float(np.sum(tumour_voxels) * np.prod(spacing)) / MILLILITRE


def _stamps(record: Record, modalities: Sequence[str]) -> list[list[Any]]:
    """Path, size and time of each file that a case is prepared from."""
    paths: list[Any] = (
        [record["image"]]
        if record.get("image")
        else [value_of(record, name) for name in modalities if record.get(name)]
    )
    if record.get("seg"):
        paths.append(record["seg"])
    return [volume_stamp(path) for path in paths]


def _size(case: Case) -> int:
    return sum(Path(value_of(case, key)).stat().st_size for key in ("cached", "cached_mask") if case.get(key))


def count_tumour(classes: np.ndarray, geometry: BrainGeometry) -> list[list[int]]:
    """NCR, ED and ET voxels for each axial slice of the whole volume, from class indices (z, y, x) of the box."""
    counts = np.zeros((geometry.shape[2], 3), dtype=int)
    counts[geometry.box[2]] = [[int((plane == index).sum()) for index in (1, 2, 3)] for plane in classes]
    return counts.tolist()
