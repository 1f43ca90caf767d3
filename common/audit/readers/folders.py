"""Folders of sides: ``train/ val/ test/``, Kaggle's ``Training/ Testing/`` with classes below, or ``imagesTr/``."""

from __future__ import annotations

from pathlib import Path

from common.audit.readers.image_files import group_by_case
from common.audit.split import ORDER, Case, Entry, Split, divide, side_named
from common.errors import DatasetError, Problem
from common.formats.folders import list_folder, tell_contents

DEPTH = 2
"""Levels below the named folder where the sides may lie."""

LAYOUT = "Expected are folders such as train/ and test/, or a list: splits_final.json, train.txt, a datalist, a table."


def read_folders(root: Path) -> Split:
    """Read the folders; a picture, a volume with its modalities, or a DICOM series is a case, named by its place.

    Raises:
        DatasetError: there are not two sides with images in them.
    """
    found = find_sides(root)
    if not found:
        what = f"has no folders of two sides; it {tell_contents(list_folder(root))}"
        raise DatasetError(Problem(what, root, LAYOUT))
    cases: dict[str, Case] = {}
    entries = []
    empty = []
    for folder, side in found:
        grouped = group_by_case(folder)
        empty += [] if grouped else [folder]
        for place, files in grouped.items():
            name = f"{folder.name}/{place}"
            cases[name] = Case(name, tuple(files), by_id=False)
            entries.append(Entry(name, side))
    if empty:
        raise DatasetError([Problem("holds no image", folder, "Remove it, or unpack it again.") for folder in empty])
    return Split(f"folders {', '.join(folder.name for folder, _ in found)}", root, cases, divide(entries))


def find_sides(root: Path) -> list[tuple[Path, str]]:
    """The folders of sides on the first level that has two of them; none where no level has."""
    level = [root]
    for _ in range(DEPTH + 1):
        for parent in level:
            sides = [(folder, side) for folder in _subfolders(parent) if (side := side_named(folder.name))]
            if len({side for _, side in sides}) > 1:
                return sorted(sides, key=lambda found: ORDER.index(found[1]))
        level = [folder for parent in level for folder in _subfolders(parent)]
    return []


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in list_folder(folder) if path.is_dir()]
