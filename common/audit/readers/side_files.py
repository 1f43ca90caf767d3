"""A file for each side: ``train.txt``, ``val.txt`` and ``test.txt`` with a line a case, or tables of such names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from common.audit.readers.image_files import ENDINGS
from common.audit.readers.rows import Places, Row, make_split, without_row_numbers
from common.audit.split import Split, side_named
from common.errors import DatasetError, Problem
from common.formats.folders import list_folder
from common.formats.tables import SUFFIXES as TABLES
from common.formats.tables import read_table

LINES = ".txt"
PATH = re.compile(rf".+?(?:{'|'.join(map(re.escape, ENDINGS))})(?=[\s,;]|$)", re.IGNORECASE)
"""The path of an image at the beginning of a line; blanks may be in it."""


def find_side_files(folder: Path) -> list[Path]:
    """The lists in a folder that are named after sides; none where they are not of two sides at least."""
    lists = [path for path in list_folder(folder) if path.is_file() and path.suffix.lower() in (LINES, *TABLES)]
    named = [path for path in lists if side_named(path.stem)]
    return named if len({side_named(path.stem) for path in named}) > 1 else []


def read_side_files(folder: Path, lists: list[Path], images: Path | None, ids_only: bool) -> Split:
    """Read them as one split.

    Args:
        folder: that holds them.
        lists: found by :func:`find_side_files`.
        images: the folder that paths start at, or that holds the images of ids; ``None`` for the lists' own.
        ids_only: no image is needed.

    Raises:
        DatasetError: a list cannot be read, or names nothing.
    """
    rows = [row for path in lists for row in _rows_of(path)]
    places = Places(images or folder, search=images is not None and not ids_only)
    return make_split(f"lists {', '.join(path.name for path in lists)}", folder, rows, places)


def _rows_of(path: Path) -> Iterator[Row]:
    side = side_named(path.stem)
    if path.suffix.lower() != LINES:
        yield from (Row(texts, side) for _, texts in without_row_numbers(read_table(path, {})))
        return
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(Problem(f"cannot be read ({error})", path, "Save it as text in UTF-8.")) from error
    told = (line for line in map(str.strip, lines) if line and not line.startswith("#"))
    yield from (Row({"": _name_in(line)}, side) for line in told)


def _name_in(line: str) -> str:
    """The path or the id of a line that may end with a label, or with the path of a mask."""
    path = PATH.match(line)
    return path[0] if path else re.split(r"[\s,;]+", line)[0]
