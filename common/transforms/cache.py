"""Decode once: prepared cases on disk, read back a slice at a time through memory maps.

A case is keyed by its files' sizes and times and by how it was prepared, so a changed file or setting is prepared
anew and never served stale. Nothing but open memory maps is held in memory, however large the cohort.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from common.cohorts.records import MODALITIES, Record
from common.distributed import first_process_first
from common.errors import DatasetError, Problem
from common.files import atomic_path, stable_hash, write_json
from common.transforms.intensity import CLIP_PERCENTILES
from common.transforms.preparation import prepare_case, spacing_problem

PREPARATION_VERSION = 1
"""Raise it when prepared cases change in a way that the key's other parts do not tell."""

Case = dict[str, Any]
"""A record with ``cached`` (path of its prepared slices), ``cached_mask`` (path or ``None``), ``geometry`` (a dict)
and ``tumour_voxels`` (NCR, ED and ET voxels for each axial slice of the whole volume)."""

logger = logging.getLogger(__name__)


def default_cache_dir() -> Path:
    """``$GLIOMA_CACHE_DIR``, else ``glioma-bundles`` in the user's cache folder."""
    chosen = os.environ.get("GLIOMA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glioma-bundles" / "cases"


def prepare_cases(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    workers: int | None = None,
) -> list[Case]:
    """Prepare every patient that the cache does not hold yet; show progress, then where the cache lies and its size.

    Args:
        records: the patients.
        cache_dir: ``None`` for :func:`default_cache_dir`.
        modalities: in the order of the channels.
        workers: threads; by default one a core, four at most.

    Raises:
        DatasetError: everything that is wrong with any of the patients, in one error.
        OutputError: the cache cannot be written.
    """
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    records = list(records)
    threads = workers or min(4, os.cpu_count() or 1)
    cases: list[Case] = []
    problems: list[Problem] = []

    def attempt(record: Record) -> Case | DatasetError:
        try:
            return _cached_case(record, folder, modalities)
        except DatasetError as error:
            return error

    begun = time.monotonic()
    with first_process_first(), ThreadPoolExecutor(threads) as pool:
        results = pool.map(attempt, records)
        for result in tqdm(results, total=len(records), desc="Preparing cases", unit="case", leave=False):
            if isinstance(result, DatasetError):
                problems.extend(result.problems)
            else:
                cases.append(result)
    expected = common_spacing(cases)
    for case in cases:
        problems += spacing_problem(case["geometry"]["spacing"], expected, case["subject"])
    if problems:
        raise DatasetError(problems)
    held = sum(_size(case) for case in cases)
    logger.info(
        "%d cases are prepared in %s (%.1f MB, %.1f s)", len(cases), folder, held / 1e6, time.monotonic() - begun
    )
    return cases


def common_spacing(cases: Sequence[Case]) -> list[float]:
    """The median voxel size of a cohort in mm along the working axes, which a network trained on it expects."""
    return np.median([case["geometry"]["spacing"] for case in cases], axis=0).round(4).tolist() if cases else []


def cache_size(cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Bytes that the cache takes on disk."""
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0


def clear_cache(cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Remove the prepared cases; returns the bytes that became free."""
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    freed = cache_size(folder)
    for entry in folder.glob("case-*"):
        shutil.rmtree(entry, ignore_errors=True)
    return freed - cache_size(folder)


def _cached_case(record: Record, folder: Path, modalities: Sequence[str]) -> Case:
    entry = folder / f"case-{_key(record, modalities)}"
    description = entry / "case.json"
    if not all((entry / name).is_file() for name in _files_of(record)):
        _store(record, entry, modalities)
    content = json.loads(description.read_text(encoding="utf-8"))
    mask = entry / "mask.npy"
    return {
        **record,
        "cached": str(entry / "slices.npy"),
        "cached_mask": str(mask) if content["has_mask"] else None,
        "geometry": content["geometry"],
        "tumour_voxels": content["tumour_voxels"],
    }


def _files_of(record: Record) -> list[str]:
    return ["case.json", "slices.npy", *(["mask.npy"] if record.get("seg") else [])]


def _store(record: Record, entry: Path, modalities: Sequence[str]) -> None:
    """Write the arrays, then the description whose presence says that the entry is whole."""
    case = prepare_case(record, modalities)
    depth = case.geometry.shape[2]
    counts = np.zeros((depth, 3), dtype=int)
    if case.classes is not None:
        inside = case.geometry.box[2]
        counts[inside] = [[int((plane == index).sum()) for index in (1, 2, 3)] for plane in case.classes]
        _save_array(entry / "mask.npy", case.classes)
    _save_array(entry / "slices.npy", case.image)
    write_json(
        entry / "case.json",
        {
            "geometry": case.geometry.to_dict(),
            "has_mask": case.classes is not None,
            "tumour_voxels": counts.tolist(),
        },
    )


def _save_array(path: Path, array: np.ndarray) -> None:
    with atomic_path(path) as temporary:
        np.save(temporary, array)


def _key(record: Record, modalities: Sequence[str]) -> str:
    paths = [record["image"]] if record.get("image") else [record[name] for name in modalities if record.get(name)]
    if record.get("seg"):
        paths.append(record["seg"])
    stamps = []
    for path in paths:
        try:
            state = Path(path).stat()
        except OSError as error:
            raise DatasetError(Problem("the file does not exist", str(path), "Check the path.")) from error
        stamps.append([str(Path(path).resolve()), state.st_size, state.st_mtime_ns])
    settings = [PREPARATION_VERSION, list(modalities), CLIP_PERCENTILES, list(record.get("mask_values") or ())]
    return stable_hash([stamps, settings])[:24]


def _size(case: Case) -> int:
    return sum(Path(case[key]).stat().st_size for key in ("cached", "cached_mask") if case[key])
