"""Reads a split in whatever way somebody wrote it down."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.audit.files import check_files
from common.audit.readers.folders import find_sides, read_folders
from common.audit.readers.lists import read_lists
from common.audit.readers.nnunet import FILE as NNUNET
from common.audit.readers.nnunet import folds_in, read_nnunet
from common.audit.readers.side_files import find_side_files, read_side_files
from common.audit.readers.tables import read_sides
from common.audit.split import Split
from common.errors import DatasetError, Problem
from common.files import read_json

FORMAT = "A .json or .csv file is expected, or a folder."
TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Source:
    """What to read.

    Args:
        path: a file or a folder.
        images: the folder of the images, where they do not lie beside the list.
        side_column: of a table.
        ids_only: no image is needed.
    """

    path: Path
    images: Path | None = None
    side_column: str | None = None
    ids_only: bool = False


def read_split(source: Source) -> Split:
    """Read a split; its kind is recognised from the content.

    Raises:
        DatasetError: it cannot be read, its kind is not known, it has one side only, or listed files do not exist.
        KnobError: a table has no column of the given name.
    """
    if not source.path.exists():
        raise DatasetError(Problem("there is no such file or folder", source.path, "Check the path."))
    if source.images is not None and not source.images.is_dir():
        raise DatasetError(Problem("there is no such folder", source.images, "Check --images."))
    split = _read(source)
    _require_two_sides(split)
    if not source.ids_only:
        check_files(split)
    return split


def _require_two_sides(split: Split) -> None:
    filled = [[side for side, names in division.sides.items() if names] for division in split.divisions]
    if not any(len(sides) > 1 for sides in filled):
        names = ", ".join(sorted({side for sides in filled for side in sides})) or "none"
        what = f"has cases on one side only ({names}): there is nothing to compare"
        raise DatasetError(Problem(what, split.where, "Name a split of two sides at least."))


def _read(source: Source) -> Split:
    path = source.path
    if path.is_dir():
        lists = find_side_files(path)
        if (path / NNUNET).is_file():
            path = path / NNUNET
        elif lists and not find_sides(path):
            return read_side_files(path, lists, source.images, source.ids_only)
        else:
            return read_folders(path)
    if path.suffix.lower() in TABLES:
        return read_sides(path, source.side_column, source.images, source.ids_only)
    content = _read_json(path)
    if folds := folds_in(content):
        return read_nnunet(path, folds, source.images)
    if not isinstance(content, dict):
        raise DatasetError(Problem("holds no sides", path, FORMAT))
    return read_lists(path, content, source.images, source.ids_only)


def _read_json(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise DatasetError(Problem(f"cannot be read ({error.strerror})", path, "Check your rights.")) from error
    except ValueError as error:
        raise DatasetError(Problem(f"is not JSON ({error})", path, FORMAT)) from error
