"""What the voxels of a prepared volume say about the scanner: brightness, noise, sharpness, how much is background.

They are read as the network gets them, so differences that preparation has removed are not counted. All are statistics
of the whole brain: none measures a lesion as such, but a large lesion changes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from common.records import Record

PERCENTILES = (5, 25, 50, 75, 95)
MAD_TO_SD = 1.4826
WEIGHTS = 6.0**0.5
"""By how much the second difference of white noise, (1, -2, 1), is wider than the noise."""

FEWEST_VOXELS = 100

INTENSITIES, NOISE, SHARPNESS, BACKGROUND = "the intensities", "the noise", "the sharpness", "the background"
VOXEL_TRAITS = (INTENSITIES, NOISE, SHARPNESS, BACKGROUND)


def voxel_traits(records: Sequence[Record]) -> dict[str, pd.DataFrame]:
    """The traits in the prepared volumes of a cohort, in float columns, for each channel.

    Args:
        records: with ``cached``, the path of a float array (channel, x, y, z) whose background is 0. All is NaN for a
            record without one.

    Returns:
        One table per trait; empty where no volume is prepared.
    """
    paths = [record.get("cached") for record in records]
    if not any(paths):
        return {}
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda path: _measure(str(path), Path(path).stat().st_mtime_ns) if path else {}, paths))
    table = pd.DataFrame(rows).astype(float)
    return {name: table[[column for column in table if str(column).startswith(name)]] for name in VOXEL_TRAITS}


@lru_cache(maxsize=8192)
def _measure(path: str, stamp: int) -> Mapping[str, float]:
    """All statistics of a volume; ``stamp`` makes a changed file be read again."""
    measured: dict[str, float] = {}
    for channel, volume in enumerate(np.load(path, mmap_mode="r")):
        for name, value in measure_brain(np.asarray(volume, dtype=np.float32)).items():
            measured[f"{name} {channel}"] = value
    return measured


def measure_brain(volume: np.ndarray) -> dict[str, float]:
    """Statistics over the voxels of (x, y, z) that are not 0, which are taken for brain.

    The noise is the robust width of second differences, the sharpness the mean first difference, both between voxels
    of the brain alone, as shares of the brain's standard deviation.

    Returns:
        Each statistic under its name; only the share of background where there are too few voxels.
    """
    brain = volume != 0
    values = volume[brain]
    measured = {BACKGROUND: 1 - values.size / volume.size}
    if values.size < FEWEST_VOXELS:
        return measured
    width = max(float(values.std()), float(np.finfo(np.float32).tiny))
    measured[f"{INTENSITIES}, mean"] = float(values.mean())
    measured[f"{INTENSITIES}, width"] = width
    for percent, value in zip(PERCENTILES, np.percentile(values, PERCENTILES), strict=True):
        measured[f"{INTENSITIES}, {percent} %"] = float(value)
    first, second = zip(*(_differences(volume, brain, axis) for axis in range(volume.ndim)), strict=True)
    measured[SHARPNESS] = _mean(np.concatenate(first)) / width
    measured[NOISE] = _median(np.concatenate(second)) * MAD_TO_SD / WEIGHTS / width
    return measured


def _differences(volume: np.ndarray, brain: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Absolute first and second differences along an axis, where all voxels that take part are brain."""
    step, inside = np.diff(volume, axis=axis), _both(brain, axis)
    return np.abs(step[inside]), np.abs(np.diff(step, axis=axis)[_both(inside, axis)])


def _both(mask: np.ndarray, axis: int) -> np.ndarray:
    """Whether a voxel and the next one along the axis are in the mask."""
    rolled = np.moveaxis(mask, axis, 0)
    return np.moveaxis(rolled[:-1] & rolled[1:], 0, axis)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else float("nan")
