"""A person's own cohort: a Decathlon-style JSON file or a CSV file, a patient an entry.

.. code-block:: text

    {"training": [{"subject": "p1", "flair": "p1/flair.nii.gz", ..., "seg": "p1/seg.nii.gz", "age": 61}, ...]}

``image`` may stand for the modalities: four paths in their order, or one file with four channels. ``label`` is
another name for ``seg``. ``mask_values``, of an entry or of the whole file, tells the mask's values for NCR, ED and ET
where they are not BraTS's 1, 2 and 4; a fourth one is the resection cavity. ``brain_mask`` names a mask of the brain
where images show the whole head. Where a patient has several scans, each is an entry with a ``scan`` of its own.
Relative paths start at the list's own folder.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from common.cohorts.clinical_values import NOT_RECORDED, parse_clinical
from common.cohorts.exclusion import keep_scans
from common.errors import DatasetError, Problem, list_some
from common.files import is_file, is_folder, read_json, user_path
from common.formats.tables import (
    RECORD_NAMES,
    SUFFIXES,
    as_text,
    listed_path,
    read_table,
    record_name,
    require_columns,
)
from common.names import name_problems
from common.records import BRATS_MASK_VALUES, MODALITIES, Record, scan_of, value_of

SECTIONS = (("training", "validation"), ("testing", "test"))
"""The lists of a JSON file: of these pairs, the first that is there is read. Splitting is not the file's business."""

SERIES_NAMES = {**RECORD_NAMES, "label": "mgmt"}
"""What records call a column of a list of series, which have no mask."""

CLINICAL = ("grade", "age", "survival_days", "resection")
READ = {"subject", "scan", "source", "image", *MODALITIES, "seg", "brain_mask", "mask_values", "alive", "mgmt"}
"""Columns of a list of volumes, beside those of clinical values."""

Entry = dict[str, Any]
MOST_TOLD = 5
FORMAT = 'Expected is {"training": [{"subject": ..., "flair": ..., "t1": ..., "t1ce": ..., "t2": ..., "seg": ...}]}.'


def read_datalist(
    path: str | os.PathLike[str], need_seg: bool = True, modalities: Sequence[str] = MODALITIES
) -> list[Record]:
    """Read a cohort from a JSON or CSV list.

    Args:
        path: the list; ``subject`` and the images are required of each entry, clinical values are not.
        need_seg: whether an entry without a mask is a problem.
        modalities: the images that every patient must have.

    Returns:
        One record per patient, or a scan, sorted by subject; see :mod:`common.records`. A file of several channels
        stands under ``image``, its channels in the order of ``modalities``.

    Raises:
        DatasetError: with all that is wrong in the list.
    """
    records, problems = scan_datalist(path, need_seg, modalities)
    if problems:
        raise DatasetError(problems)
    return records


def scan_datalist(
    path: str | os.PathLike[str],
    need_seg: bool = True,
    modalities: Sequence[str] = MODALITIES,
    excluded: Sequence[str] = (),
    need_all: bool = True,
    folders: bool = False,
) -> tuple[list[Record], list[Problem]]:
    """The entries that can be used, and all problems; nobody looks at ``excluded`` patients or scans.

    With ``need_all`` false, one of the modalities is enough. With ``folders`` true, an image is the folder of a series.

    Raises:
        DatasetError: the list cannot be read, lacks a column, or is empty.
        KnobError: an excluded patient or scan is not in the list.
    """
    path = user_path(path)
    names = SERIES_NAMES if folders else RECORD_NAMES
    entries = _read_entries(path, need_seg, modalities if need_all else (), names)
    if not entries:
        raise DatasetError(Problem("lists no patient", path, FORMAT))
    nameless = [where for where, entry in entries.items() if not as_text(entry.get("subject"))]
    named = {where: _names(entry) for where, entry in entries.items() if where not in nameless}
    scans = {where: scan_of(names) for where, names in named.items()}
    left = set(keep_scans({scans[where]: names["subject"] for where, names in named.items()}, excluded))
    kept = {where: scan for where, scan in scans.items() if scan in left}

    problems = [*_tell_nameless(nameless, path), *_tell_repeated(kept, path)]
    records: dict[str, Record] = {}
    for where, scan in kept.items():
        told = f"{path}, {where} ({scan})"
        record, wrong = _read_entry(entries[where], told, path.parent, need_seg, modalities, need_all, folders)
        wrong = [*name_problems(named[where], f"{path}, {where}"), *wrong]
        problems += wrong
        if not wrong:
            records.setdefault(scan, {**cast(Record, named[where]), **record})
    problems += _tell_shared_files(records.values(), path)
    return sorted(records.values(), key=lambda record: (record["subject"], scan_of(record))), problems


def unread_columns(path: str | os.PathLike[str] | None) -> str:
    """Where a list has no column of some clinical value, which other columns nobody reads: one may be meant for it.

    Args:
        path: a list of patients with volumes that has been read; ``None`` where there is none.

    Returns:
        A sentence, empty where there is nothing to tell.
    """
    if path is None:
        return ""
    columns = {name for entry in _read_entries(user_path(path), False, (), RECORD_NAMES).values() for name in entry}
    unread = sorted(filter(None, columns - READ - set(CLINICAL)))
    lacking = [name for name in CLINICAL if name not in columns]
    if not unread or not lacking:
        return ""
    named = list_some(unread, MOST_TOLD)
    return f"{path}: nobody reads its columns {named}; it has none that is called {', '.join(lacking)}"


def _names(entry: Entry) -> dict[str, str]:
    """Subject, and scan where the entry names one."""
    return {key: name for key in ("subject", "scan") if (name := as_text(entry.get(key)))}


def _read_entries(path: Path, need_seg: bool, modalities: Sequence[str], names: Mapping[str, str]) -> dict[str, Entry]:
    """The list's entries by where they stand in it."""
    if not is_file(path):
        raise DatasetError(Problem("there is no such file", path, "Check --datalist."))
    if path.suffix.lower() == ".json":
        return read_json_list(path, names)
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError(Problem("is no .json, .csv or .tsv file", path, "Name the list after its format."))
    table = read_table(path, names)
    images = ["image"] if "image" in table.titles else list(modalities)
    require_columns(table, ["subject", *images, *(["seg"] if need_seg else [])])
    return {f"line {line}": row for line, row in table.rows}


def read_json_list(
    path: Path, names: Mapping[str, str] = RECORD_NAMES, expected: str = FORMAT
) -> dict[str, dict[str, Any]]:
    """The entries of a JSON list by where they stand in it, their keys named as in records.

    Args:
        path: the list.
        names: what records call a key that has another name.
        expected: what such a list looks like, for the messages.

    Raises:
        DatasetError: the file cannot be read, or holds no list of entries; or two keys of an entry mean the same.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise DatasetError(Problem(f"cannot be read as JSON ({error})", path, expected)) from error
    common: Entry = {}
    if isinstance(content, dict):
        common = {"mask_values": content["mask_values"]} if "mask_values" in content else {}
        listed = next((names for names in SECTIONS if any(name in content for name in names)), ())
        sections = [content.get(name) or [] for name in listed]
        content = [entry for section in sections if isinstance(section, list) for entry in section]
        content = content if all(isinstance(section, list) for section in sections) else None
    if not isinstance(content, list):
        raise DatasetError(Problem("holds no list of patients", path, expected))
    odd = [str(number) for number, entry in enumerate(content, 1) if not isinstance(entry, dict)]
    if odd:
        raise DatasetError(Problem(f"entry {', '.join(odd)} is not an object with named values", path, expected))
    entries = {f"entry {number}": entry for number, entry in enumerate(content, 1)}
    if twice := [
        problem for where, entry in entries.items() for problem in _tell_keys_twice(entry, names, path, where)
    ]:
        raise DatasetError(twice)
    return {
        where: {**common, **{record_name(str(key), names): value for key, value in entry.items()}}
        for where, entry in entries.items()
    }


def _tell_keys_twice(entry: Entry, names: Mapping[str, str], path: Path, where: str) -> list[Problem]:
    """Keys of one meaning, of which only one could be read."""
    keys: dict[str, list[str]] = {}
    for key in map(str, entry):
        keys.setdefault(record_name(key, names), []).append(key.strip())
    return [
        Problem(f"two of its keys mean the same: {' and '.join(same)}", f"{path}, {where}", "Keep one of them.")
        for same in keys.values()
        if len(same) > 1
    ]


def _read_entry(
    entry: Entry,
    where: str,
    folder: Path,
    need_seg: bool,
    modalities: Sequence[str],
    need_all: bool,
    folders: bool,
) -> tuple[Record, list[Problem]]:
    named = _name_images(entry, modalities)
    images = ["image"] if "image" in named else list(modalities)
    wanted = [*images, "seg"] if need_seg else images
    problems = []
    absent = [key for key in wanted if not as_text(named.get(key))]
    if not need_all and len([key for key in absent if key in images]) < len(images):
        absent = [key for key in absent if key not in images]
    if absent:
        problems.append(Problem(f"names no {', '.join(absent)}", where, "Add the path to the entry."))
    files = {
        key: str(listed_path(folder, text))
        for key in (*images, "seg", "brain_mask")
        if (text := as_text(named.get(key)))
    }
    for key, file in files.items():
        if not (is_folder(file) if folders and key in images else is_file(file)):
            hint = f"Correct the path; relative paths start at {folder}."
            problems.append(Problem(f"its {key} {file} does not exist", where, hint))
    clinical, unreadable = parse_clinical(entry, where)
    mask_values, unknown = _read_mask_values(entry.get("mask_values"), where)
    source = as_text(entry.get("source")) or "datalist"
    record = {"source": source, **files, "mask_values": mask_values, **NOT_RECORDED, **clinical}
    return cast(Record, record), [*problems, *unreadable, *unknown]


def _name_images(entry: Entry, modalities: Sequence[str]) -> Entry:
    """Replace an ``image`` that stands for single files by the modalities that it stands for."""
    image = entry.get("image")
    if all(as_text(entry.get(modality)) for modality in modalities) or not image:
        return {key: value for key, value in entry.items() if key != "image"}
    files = image if isinstance(image, list) else [image]
    if len(files) != len(modalities):
        return {**entry, "image": image if isinstance(image, str) else None}
    return {
        **{key: value for key, value in entry.items() if key != "image"},
        **dict(zip(modalities, files, strict=True)),
    }


def _read_mask_values(given: Any, where: str) -> tuple[list[int], list[Problem]]:
    text = as_text(given)
    if not text:
        return list(BRATS_MASK_VALUES), []
    values = [float(number) for number in re.findall(r"(?<!\d)-?\d+(?:\.\d+)?", text)]
    if len(values) in (3, 4) and len(set(values)) == len(values) and all(_is_label(value) for value in values):
        return [int(value) for value in values], []
    hint = "Different labels above 0 are expected: of NCR, ED, ET and perhaps the resection cavity, such as 1 2 3."
    return [], [Problem(f"mask_values is '{text}'", where, hint)]


def _is_label(value: float) -> bool:
    return value > 0 and value.is_integer()


def _tell_nameless(entries: Sequence[str], path: Path) -> list[Problem]:
    if not entries:
        return []
    hint = "Name the patient of each entry: the subject is the unit of every split."
    return [Problem(f"{list_some(entries, MOST_TOLD)}: no subject is given", path, hint)]


def _tell_repeated(scans: dict[str, str], path: Path) -> list[Problem]:
    counts = Counter(scans.values())
    hint = "Keep one, or give each scan of a patient a name of its own under scan."
    problems = []
    for scan in (scan for scan, count in counts.items() if count > 1):
        lines = [where for where, name in scans.items() if name == scan]
        problems.append(Problem(f"patient {scan} is listed more than once: {', '.join(lines)}", path, hint))
    return problems


def _tell_shared_files(records: Iterable[Record], path: Path) -> list[Problem]:
    """The same file in two places of the list: two patients who are one, or a modality named twice."""
    places: dict[str, list[str]] = {}
    for record in records:
        for key in (*MODALITIES, "image", "seg"):
            if key in record:
                places.setdefault(str(Path(value_of(record, key)).resolve()), []).append(f"{key} of {scan_of(record)}")
    hint = "Correct the list: each file belongs to one patient and stands for one thing."
    return [
        Problem(f"{file} is listed as {' and as '.join(uses)}", path, hint)
        for file, uses in places.items()
        if len(uses) > 1
    ]
