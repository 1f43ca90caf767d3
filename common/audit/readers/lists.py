"""JSON files with a list for each side: MONAI's and Decathlon's datalists, our own ``split.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.audit.readers.rows import Places, Row, make_split
from common.audit.split import Split, side_named
from common.errors import DatasetError, Problem

FORMAT = 'A list for each side is expected: {"training": [...], "validation": [...], "test": [...]}.'
MONAI_WORDS = ("training", "testing")


def read_lists(path: Path, content: Any, images: Path | None, ids_only: bool) -> Split:
    """Read the sides; with a ``fold`` in each entry, as MONAI's Auto3DSeg has them, the folds of the training side.

    Args:
        path: the file.
        content: what it holds.
        images: the folder that paths start at, or that holds the images of ids; ``None`` for the file's own.
        ids_only: no image is needed.

    Raises:
        DatasetError: there are no lists under names of sides, or entries that name nothing.
    """
    named = {key: side for key in content if (side := side_named(str(key)))}
    if not named:
        hint = FORMAT
        if "numTraining" in content:
            hint = "Of nnU-Net pass splits_final.json, or the folder that holds imagesTr and imagesTs."
        raise DatasetError(Problem(f"names no side; its keys are {', '.join(content) or 'none'}", path, hint))
    if others := [key for key in named if not isinstance(content[key], list)]:
        raise DatasetError(Problem(f"has no list under {', '.join(others)}", path, FORMAT))
    rows = [
        _row(entry, side, f"{path}, {key}, entry {number}")
        for key, side in named.items()
        for number, entry in enumerate(content[key], 1)
    ]
    places = Places(images or path.parent, search=images is not None and not ids_only)
    kind = "a datalist" if set(MONAI_WORDS) & set(named) else "a list for each side"
    return make_split(kind, path, rows, places)


def _row(entry: Any, side: str, where: str) -> Row:
    if isinstance(entry, str | int):
        return Row({"": str(entry)}, side)
    if not isinstance(entry, Mapping):
        raise DatasetError(Problem("is neither an id nor an object", where, FORMAT))
    values = {str(key).lower(): value for key, value in entry.items()}
    return Row(values, side, _whole_number(values.pop("fold", None), where))


def _whole_number(fold: Any, where: str) -> int | None:
    """The fold of an entry; ``None`` where it has none.

    Raises:
        DatasetError: it is something else, such as the ``NaN`` that stands for a gap in a table of pandas.
    """
    if fold is None or (isinstance(fold, int) and not isinstance(fold, bool)):
        return fold
    if isinstance(fold, float) and fold.is_integer():
        return int(fold)
    hint = "Write 0, 1, 2 and so on, and leave the fold out of an entry that has none."
    raise DatasetError(Problem(f"its fold is no whole number ({fold})", where, hint))
