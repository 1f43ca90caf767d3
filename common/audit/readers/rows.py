"""What a list says of each case, whether it is JSON or a table: keys for the patient, the id, the side and files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common.audit.readers.image_files import ImageIndex, is_image, walk_images
from common.audit.split import Case, Entry, Split, divide
from common.cohorts.clinical_values import ID_COLUMN
from common.errors import DatasetError, Problem
from common.formats.tables import Table, as_text, listed_path
from common.names import name_some, subject_of

PATIENT = (
    "patient",
    "patient_id",
    "patientid",
    "subject",
    "subject_id",
    "subjectid",
    "participant_id",
    "pid",
    "person",
)
ID = ("id", "case", "case_id", "caseid", "scan_id", "image_id", "imageid")
MASKS = ("label", "labels", "seg", "segmentation", "mask", "brain_mask", "label_path", "mask_path", "pseudo_label")
"""Keys whose files are no images of the patient."""

FOLDERS = ("image", "flair", "t1", "t1ce", "t2", "path", "folder", "file", "image_path")
"""Keys that may name the folder of a DICOM series, or an image without its ending."""


@dataclass(frozen=True)
class Row:
    """A line of a list.

    Args:
        values: texts, or lists of texts, by key in lower case; a bare id or path stands under ``""``.
        side: that it stands on.
        fold: of a cross-validation.
    """

    values: Mapping[str, Any]
    side: str | None
    fold: int | None = None


class Places:
    """Where the files of a list lie.

    Args:
        base: relative paths start here.
        search: look below it for what is no path from it: ids, and bare names of files.
    """

    def __init__(self, base: Path, search: bool) -> None:
        self.base = base
        self._search = search
        self._index: ImageIndex | None = None

    def find(self, name: str) -> list[str]:
        """The files that a path or an id stands for; a path that leads nowhere stays, for a message."""
        path = listed_path(self.base, name)
        if path.is_dir():
            return [str(file) for file in walk_images(path)]
        if path.exists() or not self._search:
            return [str(path)] if is_image(name) else []
        self._index = self._index or ImageIndex(self.base)
        return self._index.find(name) or ([str(path)] if is_image(name) else [])


def without_row_numbers(table: Table) -> list[tuple[int, dict[str, str]]]:
    """A table's rows without the column of no title in which pandas and R number them."""
    if not all(texts.get("", "").isdecimal() for _, texts in table.rows):
        return table.rows
    return [(line, {key: text for key, text in texts.items() if key}) for line, texts in table.rows]


def make_split(kind: str, where: Path, rows: Sequence[Row], places: Places) -> Split:
    """The split that the rows of a list state.

    Rows with the same id are one case. What has no id is named by its file, what has no file by its patient.

    Args:
        kind: of the list, for the report.
        where: the list.
        rows: of it.
        places: where its files lie.

    Raises:
        DatasetError: rows name neither an id, a patient nor a file, or a name that several files have.
    """
    read: list[tuple[Row, Case]] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        try:
            values = {re.sub(r"[\s-]+", "_", key): value for key, value in row.values.items()}
            read.append((row, _case_of(values, places, f"{where}, entry {number}")))
        except DatasetError as error:
            problems += error.problems
    if problems:
        raise DatasetError(problems)
    named = _name_apart([case for _, case in read])
    cases: dict[str, Case] = {}
    for case in named:
        files = [*(cases[case.name].files if case.name in cases else ()), *case.files]
        cases[case.name] = replace(case, files=tuple(dict.fromkeys(files)))
    entries = [Entry(case.name, row.side, row.fold) for (row, _), case in zip(read, named, strict=True)]
    return Split(kind, where, cases, divide(entries), tuple(_tell_twice(rows, entries)))


def _case_of(values: Mapping[str, Any], places: Places, where: str) -> Case:
    """Raises DatasetError where a row names nothing, or several files are called as it says."""
    paths = [path for key, value in values.items() if key not in MASKS for path in _paths(key, value, places)]
    keys = ID if paths else (*ID, *FOLDERS, "")
    given = next((text for key in keys if (text := _text(values.get(key))) and not is_image(text)), "")
    owners = (*PATIENT, *filter(ID_COLUMN.fullmatch, values))
    patient = next((text for key in owners if (text := _text(values.get(key)))), None)
    name = given or (paths[0].removeprefix("./") if paths else patient)
    if not name:
        raise DatasetError(Problem("names no id, no patient and no image", where, "Complete it, or remove it."))
    files = [file for path in paths for file in places.find(path)] or places.find(given or name)
    owner = patient or (subject_of(name) if subject_of(name) != name else None)
    return Case(name, tuple(files), owner, by_id=bool(given) or not paths)


def _name_apart(cases: Sequence[Case]) -> list[Case]:
    """The cases; an id that several patients have, as where each one's slices are counted anew, with the patient."""
    patients: dict[str, set[str | None]] = {}
    for case in cases:
        patients.setdefault(case.name, set()).add(case.patient)
    return [
        replace(case, name=f"{case.patient}/{case.name}") if len(patients[case.name]) > 1 and case.patient else case
        for case in cases
    ]


def _text(value: Any) -> str:
    """A text or a number; empty for anything else."""
    return as_text(value) if isinstance(value, str | int | float) else ""


def _paths(key: str, value: Any, places: Places) -> Iterable[str]:
    """The paths of images among a row's values."""
    if isinstance(value, list):
        return [path for part in value for path in _paths(key, part, places)]
    text = _text(value)
    is_folder = key in FOLDERS and bool(text) and listed_path(places.base, text).is_dir()
    return [text] if is_image(text) or is_folder else []


def _tell_twice(rows: Sequence[Row], entries: Sequence[Entry]) -> list[str]:
    """Which lines occur more than once."""
    counts = Counter(
        (entry.name, entry.side, entry.fold, str(sorted(row.values.items())))
        for row, entry in zip(rows, entries, strict=True)
    )
    twice = {name for (name, *_), count in counts.items() if count > 1}
    return [f"listed more than once on one side: {name_some(twice)}"] if twice else []
