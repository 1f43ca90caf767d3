"""Br35H as downloaded (``yes/``, ``no/``, ``pred/``), or any folder whose subfolders are classes.

An image is a sample, and since such data sets name no patients, an image is its own subject. Groups of copies
are what splits must keep together; see :mod:`common.copies.search`.
"""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from common.cohorts.datasets.data_set import EVERYTHING, DataSet, Found, Kind, Outline, Wanted
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import is_file, is_folder, user_path
from common.formats.folders import SUFFIXES, leads_back, list_folder, tell_contents
from common.formats.images import is_image_name
from common.records import Record

BR35H_CLASSES = ("no", "yes")
UNLABELLED = "pred"
NO_TUMOUR = frozenset({"no", "none", "notumor", "notumour", "normal", "healthy", "negative", "without", "control"})
"""What people call the class without a tumour, which is label 0 wherever it stands in the alphabet."""

SIDES = frozenset({"train", "training", "test", "testing", "val", "valid", "validation"})
DEPTH = 2
LAYOUT = "Expected is a folder with a subfolder a class, such as yes/ and no/, or a list of one's own with --datalist."

logger = logging.getLogger(__name__)


def read_br35h(root: str | os.PathLike[str], need_label: bool = True) -> list[Record]:
    """Read Br35H as downloaded, or any folder of classes.

    Args:
        root: the folder that holds the classes' folders, directly or up to two levels deeper.
        need_label: whether an image without a class is none of the cohort; False for inference, where ``pred/`` and a
            folder of bare images are read too.

    Returns:
        A record an image, sorted by subject: ``subject`` (such as ``yes/y12``), ``image`` (path), ``label`` (index of
        the class or ``None``), ``class_name`` (or ``None``) and ``source``. Without a tumour is label 0, the other
        classes follow in the order of the alphabet.

    Raises:
        DatasetError: with all that is wrong in the folder. The images themselves are looked at by
            :func:`~common.cohorts.kinds.images.find_image_problems`.
    """
    records, problems = scan_br35h(root, Wanted(need_label=need_label))
    if problems:
        raise DatasetError(problems)
    return records


def scan_br35h(root: str | os.PathLike[str], wanted: Wanted = EVERYTHING) -> Found:
    """The images of every class, and all problems; where no class is needed, a file is an image.

    Raises:
        DatasetError: there is no such folder, or no image in it.
        KnobError: an excluded image is not in the folder.
    """
    root, need_label = user_path(root), wanted.need_label
    if root.is_file() and not need_label:
        about: Record = {"label": None, "class_name": None, "source": "files"}
        return [{"subject": root.stem, "image": str(root), **about}], []
    root = _find_classes(root)
    folders, source = _choose_folders(root, need_label)
    images = {folder: _find_images(folder) for folder in folders}
    problems = [*_tell_case(root), *_check_folders(root, images, need_label)]
    if not any(images.values()):
        bare = _find_images(root, deep=False)
        if need_label or not bare:
            what = f"holds no image in a subfolder; it {tell_contents(list_folder(root))}"
            raise DatasetError(Problem(what, str(root), LAYOUT))
        images, problems = {root: bare}, []
    names = {folder: folder.name.lower() if source == "br35h" else folder.name for folder in images}
    labelled = [names[folder] for folder, found in images.items() if found and not _is_unlabelled(folder, root)]
    labels: dict[str | None, int] = {name: label for label, name in enumerate(order_classes(labelled))}
    records: list[Record] = []
    for folder, found in images.items():
        class_name = names[folder] if names[folder] in labels else None
        for subject, path in _name_subjects(found, folder, root):
            about = {"label": labels.get(class_name), "class_name": class_name, "source": source}
            records.append({"subject": subject, "image": str(path), **about})
    by_name = {record["subject"]: record for record in records}
    kept = keep_scans({name: name for name in by_name}, wanted.excluded)
    return [by_name[name] for name in sorted(kept)], problems


def order_classes(names: Iterable[str]) -> tuple[str, ...]:
    """The classes in the order of their labels: the one without a tumour first, then the alphabet or the numbers."""

    def rank(name: str) -> tuple[bool, int, str]:
        is_tumour = re.sub("[^a-z]", "", name.lower()) not in NO_TUMOUR
        return is_tumour, int(name) if name.isdecimal() else -1, name.lower()

    return tuple(sorted(set(names), key=rank))


def unique_names(paths: Sequence[Path]) -> list[str]:
    """The paths without their suffixes, in their order; with them where two would be called the same."""
    names = [path.with_suffix("").as_posix() for path in paths]
    before: list[str] = []
    while names != before:  # the stem of a.jpg.jpg may be what a.jpg is called beside a.png
        before, counts = names, Counter(names)
        names = [name if counts[name] == 1 else path.as_posix() for name, path in zip(names, paths, strict=True)]
    return names


def _find_classes(root: Path) -> Path:
    """``root``, or the one folder in it that holds ``yes`` and ``no``."""
    if not is_folder(root):
        what = "is a file, not a folder" if is_file(root) else "there is no such folder"
        raise DatasetError(Problem(what, str(root), "Pass the unpacked folder; a list of images goes to --datalist."))
    level = [root]
    for _ in range(DEPTH + 1):
        found = [folder for folder in level if _subfolders(folder).keys() >= set(BR35H_CLASSES)]
        if len(found) > 1:
            what = f"{' and '.join(folder.name for folder in found)} both hold the folders yes and no"
            raise DatasetError(Problem(what, str(root), "Pass the one that is meant."))
        if found:
            return found[0]
        level = [child for folder in level for child in _subfolders(folder).values()]
    return root


def _choose_folders(root: Path, need_label: bool) -> tuple[list[Path], str]:
    """The folders to read, and the name of the data set."""
    found = _subfolders(root)
    if not found.keys() >= set(BR35H_CLASSES):
        return list(found.values()), root.name
    wanted = [*BR35H_CLASSES, *([] if need_label else [UNLABELLED])]
    left_out = [folder.name for name, folder in found.items() if name not in wanted]
    if left_out:
        logger.info("Not read in %s, for it is no class: %s", root, ", ".join(left_out))
    return [found[name] for name in wanted if name in found], "br35h"


def _subfolders(folder: Path) -> dict[str, Path]:
    """By their names in lower case; where two differ by case alone, each by its own."""
    folders = [path for path in list_folder(folder) if path.is_dir()]
    counts = Counter(path.name.lower() for path in folders)
    return {path.name.lower() if counts[path.name.lower()] == 1 else path.name: path for path in folders}


def _find_images(folder: Path, deep: bool = True) -> list[Path]:
    files: list[Path] = []
    others = 0
    for path in list_folder(folder):
        if path.is_dir():
            files += _find_images(path) if deep and not leads_back(path) else []
        elif is_image_name(path):
            files.append(path)
        else:
            others += 1
    if others:
        logger.info("%d files in %s are not named as images are and were not read", others, folder)
    return files


def _check_folders(root: Path, images: dict[Path, list[Path]], need_label: bool) -> list[Problem]:
    if not need_label or not images:
        return []
    sides = [folder.name for folder in images if folder.name.lower() in SIDES]
    if sides:
        what = f"its folders {', '.join(sides)} are sides of a split, not classes"
        return [Problem(what, str(root), "Pass the folder of one side, or list all images with --datalist.")]
    problems = [
        Problem("holds no image", str(folder), "Remove the folder, or download it again.")
        for folder, found in images.items()
        if not found
    ]
    if len(images) == 1 and not problems:
        problems.append(Problem(f"holds only one class, {next(iter(images)).name}", str(root), LAYOUT))
    return problems


def _tell_case(root: Path) -> list[Problem]:
    """Folders of one class that differ only by case."""
    folders: dict[str, list[str]] = {}
    for path in _subfolders(root).values():
        folders.setdefault(path.name.lower(), []).append(path.name)
    return [
        Problem(
            f"its folders {' and '.join(same)} differ only by case", str(root), "Put their images into one of them."
        )
        for same in folders.values()
        if len(same) > 1
    ]


def _is_unlabelled(folder: Path, root: Path) -> bool:
    return folder == root or folder.name.lower() == UNLABELLED


def _name_subjects(paths: Sequence[Path], folder: Path, root: Path) -> Iterable[tuple[str, Path]]:
    """``yes/y12``, or ``y12`` for images that lie in no subfolder."""
    start = folder if folder == root else folder.parent
    return zip(unique_names([path.relative_to(start) for path in paths]), paths, strict=True)


def _recognise(outline: Outline) -> bool:
    """Images, and no volumes: pictures beside volumes are previews of them."""
    volumes = (*SUFFIXES, ".h5", ".hdf5")
    has_volumes = outline.has_file(lambda name: name.lower().endswith(volumes))
    return not has_volumes and outline.has_file(lambda name: is_image_name(Path(name)))


DATA_SETS = (
    DataSet(
        name="br35h",
        title="Br35H",
        kind=Kind.IMAGES,
        recognise=_recognise,
        scan=scan_br35h,
        origin="*Br35H :: Brain Tumor Detection 2020* on Kaggle",
        terms="none are stated: ask before you pass it on",
        citation="Hamada, Br35H: Brain Tumor Detection 2020, Kaggle",
        tasks=("tumour",),
        rank=2,
    ),
)
