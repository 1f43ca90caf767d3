"""By what two cases are known to be one: the id, files, voxels, pictures, the patient."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from common.audit.contents import Contents
from common.audit.files import is_picture
from common.audit.split import Case

KINDS = {
    "case": "the same case",
    "file": "the same file",
    "voxels": "the same voxels",
    "moved": "the same scan, shifted, mirrored or turned",
    "picture": "copies of one picture",
    "patient": "the same patient",
}
"""How cases are alike, the surest way first, in words."""

Keys = Mapping[str, frozenset[str]]
"""Keys by case: two cases with a common key are alike."""


def trace_cases(cases: Mapping[str, Case], patients: Mapping[str, str], contents: Contents | None) -> dict[str, Keys]:
    """The keys of all cases, by each of :data:`KINDS`.

    Args:
        cases: by name.
        patients: the patient of each case, where it is known.
        contents: of their images; ``None`` to compare ids alone.
    """
    traces: dict[str, Keys] = {"case": {name: frozenset((name,)) for name in cases}}
    if contents is not None:
        traces |= _trace_contents(cases, contents)
    return {**traces, "patient": {name: frozenset((patient,)) for name, patient in patients.items()}}


def _trace_contents(cases: Mapping[str, Case], contents: Contents) -> dict[str, Keys]:
    scans = contents.scans
    copied = contents.copies.group_of if contents.copies else {}
    same = _hash_alike(cases.values(), contents)
    by_file: dict[str, Mapping[str, Iterable[str]]] = {
        "file": {file: [key] for file, key in same.items()},
        "voxels": {file: [hashes.voxels for hashes in scan.hashes] for file, scan in scans.items()},
        "moved": {file: [hashes.values for hashes in scan.hashes if hashes.values] for file, scan in scans.items()},
        "picture": {file: [group] for file, group in copied.items()},
    }
    return {
        kind: {
            name: frozenset(key for file in case.files for key in keys.get(file, ())) for name, case in cases.items()
        }
        for kind, keys in by_file.items()
    }


def _hash_alike(cases: Iterable[Case], contents: Contents) -> dict[str, str]:
    """SHA-256 of the files that may have an equal one: pictures of one size in bytes, volumes with the same voxels."""
    alike: dict[object, list[str]] = {}
    for file in dict.fromkeys(file for case in cases for file in case.files):
        if is_picture(file):
            alike.setdefault(Path(file).stat().st_size, []).append(file)
        elif Path(file).is_file():
            alike.setdefault(contents.scans[file].hashes, []).append(file)
    return {file: _digest(file) for files in alike.values() if len(files) > 1 for file in files}


def _digest(file: str) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def alike(keys: Keys, names: Sequence[str]) -> dict[str, set[str]]:
    """Which of the named cases have each key."""
    found: dict[str, set[str]] = {}
    for name in names:
        for key in keys.get(name, ()):
            found.setdefault(key, set()).add(name)
    return found
