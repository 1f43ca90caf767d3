"""Reads a split in whatever way somebody wrote it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.audit.files import check_files
from common.audit.readers.folders import read_folders
from common.audit.readers.lists import read_lists
from common.audit.readers.nnunet import FILE as NNUNET
from common.audit.readers.nnunet import is_nnunet, read_nnunet
from common.audit.readers.tables import read_sides
from common.audit.split import Split
from common.errors import DatasetError, Problem

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
        DatasetError: it cannot be read, its kind is not known, or listed files do not exist.
        KnobError: a table has no column of the given name.
    """
    if not source.path.exists():
        raise DatasetError(Problem("there is no such file or folder", source.path, "Check the path."))
    if source.images is not None and not source.images.is_dir():
        raise DatasetError(Problem("there is no such folder", source.images, "Check --images."))
    split = _read(source)
    if not source.ids_only:
        check_files(split)
    return split


def _read(source: Source) -> Split:
    path = source.path
    if path.is_dir():
        if not (path / NNUNET).is_file():
            return read_folders(path)
        path = path / NNUNET
    if path.suffix.lower() in TABLES:
        return read_sides(path, source.side_column, source.images, source.ids_only)
    content = _read_json(path)
    if is_nnunet(content):
        return read_nnunet(path, content, source.images)
    return read_lists(path, content, source.images, source.ids_only)


def _read_json(path: Path) -> Any:
    hint = "A .json or .csv file is expected, or a folder."
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DatasetError(Problem(f"cannot be read ({error.strerror})", path, "Check your rights.")) from error
    except ValueError as error:
        raise DatasetError(Problem(f"is not JSON ({error})", path, hint)) from error
    if not isinstance(content, dict) and not is_nnunet(content):
        raise DatasetError(Problem("holds no sides", path, hint))
    return content
