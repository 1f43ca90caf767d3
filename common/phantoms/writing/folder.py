"""The output folder of a phantom cohort: refusing a filled one, writing in threads, writing tables."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pandas as pd
from tqdm import tqdm

from common.errors import OutputError, Problem
from common.files import atomic_path

MOST_THREADS = 4

Item = TypeVar("Item")
Made = TypeVar("Made")


def make_each(make: Callable[[Item], Made], items: Iterable[Item], unit: str, progress: bool) -> Iterator[Made]:
    """Make every item in threads.

    Args:
        make: makes one item.
        items: what it is called with.
        unit: of the progress bar.
        progress: show it.

    Yields:
        The results in the order of the items.
    """
    items = list(items)
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        yield from tqdm(pool.map(make, items), "phantoms", len(items), unit=unit, disable=not progress)


def refuse_filled(root: Path) -> None:
    """Refuse a folder that is not empty.

    Raises:
        OutputError: ``root``, or what it would lie in, is a file, or ``root`` is not empty.
    """
    there = next(path for path in (root, *root.absolute().parents) if path.exists())
    if not there.is_dir():
        raise OutputError(Problem("is a file, not a folder", there, "Choose a new or an empty folder."))
    if root.is_dir() and any(root.iterdir()):
        raise OutputError(Problem("is not empty, and nothing is overwritten", root, "Choose a new or empty folder."))


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a CSV with the line ends of the data sets' own tables, ``NA`` where nothing is known."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, na_rep="NA", lineterminator="\r\n")
