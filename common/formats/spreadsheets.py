"""Tables that we write, and read back: what looks like a formula to a spreadsheet is kept a text.

See :func:`common.formats.tables.as_cell`.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from common.files import atomic_path
from common.formats.tables import as_cell, from_cell

IDS = ("subject", "scan")


def write_frame(path: str | Path, frame: pd.DataFrame, header: bool = True) -> None:
    """Write a table without its index, atomically.

    Args:
        path: of the CSV file.
        frame: its columns and rows.
        header: whether the columns' names are written.

    Raises:
        OutputError: it cannot be written.
    """
    texts = frame.select_dtypes(exclude=["number", "bool"]).columns
    cells = frame.assign(**{name: frame[name].map(as_cell) for name in texts}).rename(columns=as_cell)
    with atomic_path(path) as temporary:
        cells.to_csv(temporary, index=False, header=header)


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read a table that :func:`write_frame` wrote, its numbers exactly; ids stay texts, one such as NA too."""
    frame = pd.read_csv(path, float_precision="round_trip")
    ids = pd.read_csv(path, usecols=lambda name: name in IDS, dtype=str, keep_default_na=False)
    frame[ids.columns] = ids.mask(ids == "")
    texts = frame.select_dtypes(exclude=["number", "bool"]).columns
    return frame.assign(**{name: frame[name].map(from_cell) for name in texts}).rename(columns=from_cell)
