"""Finding patients' folders and their files in an unpacked data set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import DatasetError, Problem, list_some
from common.files import is_file, is_folder

SUFFIXES = (".nii.gz", ".nii")
LISTED = 6


@dataclass
class Tree:
    """What lies in a data set's folder.

    Args:
        patients: the folders of each subject; more than one where a patient was unpacked twice.
        tables: the tables that were looked for.
        problems: folders that cannot be read.
    """

    patients: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    tables: list[Path] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def walk_tree(root: Path, is_patient: Callable[[str], bool], table_names: Collection[str], depth: int) -> Tree:
    """Look for patients' folders and tables in ``root`` and up to ``depth`` levels below it.

    Args:
        root: the folder; it may be a patient's folder itself.
        is_patient: whether a folder of that name holds a patient.
        table_names: names of tables in lower case.
        depth: how deep to look; patients' folders are not entered, links are followed.

    Returns:
        The folders of patients and the tables that were found.

    Raises:
        DatasetError: ``root`` is not a folder.
    """
    require_folder(root)
    tree = Tree()
    _visit(root, is_patient, table_names, depth, tree)
    return tree


def require_folder(root: Path) -> None:
    """Refuse what is no folder.

    Raises:
        DatasetError: there is no such folder, or it is a file.
    """
    if is_file(root):
        hint = "Pass the unpacked folder; a list of patients goes to --datalist."
        raise DatasetError(Problem("is a file, not a folder", str(root), hint))
    if not is_folder(root):
        raise DatasetError(Problem("there is no such folder", str(root), "Check the path."))


def require_list(path: Path) -> None:
    """Refuse a list of one's own that is not there.

    Raises:
        DatasetError: there is no such file.
    """
    if not is_file(path):
        raise DatasetError(Problem("there is no such file", str(path), "Check --datalist."))


def list_folder(folder: Path) -> list[Path]:
    """The contents of ``folder``, sorted, without hidden files and what macOS adds to archives.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(Problem(f"cannot be read ({reason})", str(folder), "Check your rights on it.")) from error


def leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it was reached through: its files were met already."""
    if not folder.is_symlink():
        return False
    target = folder.resolve()
    return any(above.resolve().is_relative_to(target) for above in folder.parents)


def find_nifti(contents: Sequence[Path], stem: str) -> Path | None:
    """The file ``<stem>.nii.gz`` or ``<stem>.nii`` among ``contents``, whatever its case; ``None`` if there is none.

    Some archives hold a folder ``<stem>.nii`` with the real file in it under any name.

    Raises:
        DatasetError: there are both, or the folder of that name does not hold exactly one file.
    """
    names = {(stem + suffix).lower() for suffix in SUFFIXES}
    found = [path for path in contents if path.name.lower() in names]
    if len(found) > 1:
        what = f"holds both {' and '.join(path.name for path in found)}"
        raise DatasetError(Problem(what, str(found[0].parent), "Keep the one that is right."))
    if not found or not found[0].is_dir():
        return found[0] if found else None
    inner = [path for path in list_folder(found[0]) if path.name.lower().endswith(SUFFIXES)]
    if len(inner) != 1:
        what = f"is a folder with {len(inner)} NIfTI files in it where one is expected"
        raise DatasetError(Problem(what, str(found[0]), "Keep the file that is right, or download it again."))
    return inner[0]


def tell_contents(contents: Sequence[Path]) -> str:
    """``holds a, b and 7 more`` for a message."""
    if not contents:
        return "is empty"
    return f"holds {list_some([path.name for path in contents], LISTED)}"


def _visit(folder: Path, is_patient: Callable[[str], bool], tables: Collection[str], depth: int, tree: Tree) -> None:
    if is_patient(folder.name):
        tree.patients[folder.name].append(folder)
        return
    try:
        contents = list_folder(folder)
    except DatasetError as error:
        tree.problems += error.problems
        return
    for path in contents:
        if path.is_dir() and depth > 0:
            _visit(path, is_patient, tables, depth - 1, tree)
        elif path.name.lower() in tables:
            tree.tables.append(path)
