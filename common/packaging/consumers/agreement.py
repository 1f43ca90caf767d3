"""Whether two runs say the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from common.formats.nifti import read_nifti

TOLERANCE = 1e-4


class Wrong(Exception):
    """A bundle does not do what it should; the text says what happened."""


def check_same(found: Path, expected: Path) -> None:
    """Compare what two runs wrote: label maps voxel by voxel, numbers in tables to 1e-4.

    Raises:
        Wrong: they differ, or one of them wrote nothing that could be compared.
    """
    names = sorted(path.name for path in expected.iterdir() if path.name.endswith(("_seg.nii.gz", "predictions.csv")))
    if not names:
        raise Wrong(f"{expected.name}: nothing was written")
    for name in names:
        if not (found / name).is_file():
            raise Wrong(f"{name} was not written")
        if name.endswith(".csv"):
            _check_table(found / name, expected / name)
        elif not np.array_equal(read_nifti(found / name).array, read_nifti(expected / name).array):
            raise Wrong(f"{name} has other voxels")


def _check_table(found: Path, expected: Path) -> None:
    one, other = (pd.read_csv(path).select_dtypes("number") for path in (found, expected))
    if list(one.columns) != list(other.columns) or len(one) != len(other) or other.empty:
        raise Wrong(f"{found.name} has other columns or rows")
    furthest = float(np.nanmax(np.abs(one.to_numpy(float) - other.to_numpy(float)), initial=0.0))
    if furthest > TOLERANCE or not np.array_equal(one.isna(), other.isna()):
        raise Wrong(f"{found.name} has other numbers (up to {furthest:.2g} apart)")
