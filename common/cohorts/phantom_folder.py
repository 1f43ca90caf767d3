"""What all phantom cohorts do with the folder that they are written into."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from common.errors import OutputError, Problem
from common.files import atomic_path


def refuse_filled(root: Path) -> None:
    """Nothing is written over.

    Raises:
        OutputError: ``root`` is a file or is not empty.
    """
    if root.exists() and not root.is_dir():
        raise OutputError(Problem("is a file, not a folder", root, "Choose a new or an empty folder."))
    if root.is_dir() and any(root.iterdir()):
        raise OutputError(Problem("is not empty, and nothing is written over", root, "Choose a new or empty folder."))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV with the line ends of the data sets' own tables, ``NA`` where nothing is known."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, na_rep="NA", lineterminator="\r\n")
