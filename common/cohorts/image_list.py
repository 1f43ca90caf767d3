"""A person's own list of images: CSV or JSON with ``image,label[,subject][,group]``, an image an entry.

``subject`` is the patient, where one is known: all images of a patient stay on one side of a split. ``group`` keeps
together what the list's author knows to belong together. Relative paths start at the list's own folder.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common.cohorts.datalist import read_json_list
from common.cohorts.datasets.br35h import order_classes, unique_names
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem
from common.files import is_file, user_path
from common.formats.tables import SUFFIXES, as_text, listed_path, read_table, require_columns
from common.names import name_problem
from common.records import Record, scan_of

FORMAT = "Expected are the columns image and label, and subject and group where they are known."
NAMES: dict[str, str] = {"class": "label", "class_name": "label", "path": "image", "file": "image"}

Entry = dict[str, Any]


def scan_image_list(
    path: str | os.PathLike[str], excluded: Sequence[str] = (), need_label: bool = True
) -> tuple[list[Record], list[Problem]]:
    """The images that can be used, and all problems; nobody looks at ``excluded`` subjects.

    Returns:
        A record an image as :func:`~common.cohorts.datasets.br35h.read_br35h` makes them, with ``group`` where the
        list tells one, and ``scan`` (the image's own name) where a subject has several images. Classes are numbered as
        there.

    Raises:
        DatasetError: the list cannot be read, lacks a column, or is empty.
        KnobError: an excluded subject is not in the list.
    """
    path = user_path(path)
    entries = _read_entries(path, need_label)
    if not entries:
        raise DatasetError(Problem("lists no image", str(path), FORMAT))
    # An entry without an image is told below; until then it goes by where it stands.
    images = {where: listed_path(path.parent, as_text(entry.get("image")) or where) for where, entry in entries.items()}
    names = dict(zip(entries, unique_names([_relative(image, path.parent) for image in images.values()]), strict=True))
    subjects = {where: as_text(entry.get("subject")) or names[where] for where, entry in entries.items()}
    left = set(keep_scans({names[where]: subjects[where] for where in entries}, excluded))
    kept = {where: entry for where, entry in entries.items() if names[where] in left}
    told = {where: images[where] for where in kept}
    problems = [*_find_problems(kept, images, path, need_label), *_tell_repeated(told, path)]
    problems += _tell_same_names(told, names, path)

    labels = {name: label for label, name in enumerate(order_classes(_class_names(kept)))}
    counts = Counter(subjects[where] for where in kept)
    records = []
    for where, entry in kept.items():
        class_name = _label_of(entry) or None
        record: Record = {"subject": subjects[where], "image": str(images[where])}
        if counts[subjects[where]] > 1:
            record["scan"] = names[where]
        record |= {"label": labels[class_name] if class_name else None, "class_name": class_name, "source": path.stem}
        group = as_text(entry.get("group"))
        records.append({**record, "group": group} if group else record)
    unusable = {problem.where for problem in problems}
    sound = [record for where, record in zip(kept, records, strict=True) if f"{path}, {where}" not in unusable]
    return sorted(sound, key=lambda record: (record["subject"], scan_of(record))), problems


def _read_entries(path: Path, need_label: bool) -> dict[str, Entry]:
    if not is_file(path):
        raise DatasetError(Problem("there is no such file", str(path), "Check --datalist."))
    if path.suffix.lower() == ".json":
        return read_json_list(path, NAMES, FORMAT)
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(Problem("is no .json, .csv or .tsv file", str(path), "Name the list after its format."))
    table = read_table(path, NAMES)
    require_columns(table, ["image", *(["label"] if need_label else [])])
    return {f"line {line}": row for line, row in table.rows}


def _find_problems(entries: dict[str, Entry], images: dict[str, Path], path: Path, need_label: bool) -> list[Problem]:
    problems = []
    for where, entry in entries.items():
        told = f"{path}, {where}"
        if not as_text(entry.get("image")):
            problems.append(Problem("names no image", told, "Add the path to the entry."))
        elif not is_file(images[where]):
            hint = f"Correct the path; relative paths start at {path.parent}."
            problems.append(Problem(f"its image {images[where]} does not exist", told, hint))
        subject = as_text(entry.get("subject"))
        if subject and (misnamed := name_problem(subject, told)):
            problems.append(misnamed)
        if need_label and not _label_of(entry):
            problems.append(Problem("names no label", told, "Write the class into the entry, or remove it."))
    classes = _class_names(entries)
    if need_label and len(classes) == 1:
        problems.append(Problem(f"all its images are of one class, {min(classes)}", str(path), FORMAT))
    return problems


def _class_names(entries: dict[str, Entry]) -> set[str]:
    return {name for entry in entries.values() if (name := _label_of(entry))}


def _label_of(entry: Entry) -> str:
    """The class, empty where none is told; ``none`` is a class: no tumour."""
    text = str(entry.get("label") if entry.get("label") is not None else "").strip()
    return text if text.lower() == "none" else as_text(text)


def _tell_repeated(images: dict[str, Path], path: Path) -> list[Problem]:
    places: dict[Path, list[str]] = {}
    for where, image in images.items():
        if is_file(image):
            places.setdefault(image.resolve(), []).append(where)
    return [
        Problem(f"{image} is listed more than once: {', '.join(lines)}", str(path), "Keep one.")
        for image, lines in places.items()
        if len(lines) > 1
    ]


def _tell_same_names(images: dict[str, Path], names: dict[str, str], path: Path) -> list[Problem]:
    """Different images that one name would stand for: an absolute path, and the same one below the list's folder."""
    places: dict[str, list[str]] = {}
    for where in images:
        places.setdefault(names[where], []).append(where)
    hint = "Move or rename one of them: files are named after images."
    return [
        Problem(f"two images would be called {name}: {', '.join(lines)}", str(path), hint)
        for name, lines in places.items()
        if len({images[where].absolute() for where in lines}) > 1
    ]


def _relative(image: Path, folder: Path) -> Path:
    """The image's place below the list's folder, or below the root: files are named by it, so nothing leads out."""
    image, folder = Path(os.path.normpath(image)), Path(os.path.normpath(folder))
    return image.relative_to(folder if image.is_relative_to(folder) else image.anchor)
