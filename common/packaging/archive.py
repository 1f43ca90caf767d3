"""Files of a package: checksums, and a zip that is the same, byte by byte, for the same files."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from common.vendored import MANIFEST

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can store; every file gets it."""

REGULAR_FILE = 0o644 << 16


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by their relative names, in one order everywhere; what Python compiled is left out."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    yield from ((name, found[name]) for name in sorted(found) if "__pycache__" not in name)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its relative name, the manifest excepted."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files_of(folder) if name != MANIFEST}


def write_zip(folder: Path, archive: Path) -> None:
    """Write a folder into a zip, under its own name, with fixed times, order and permissions."""
    with zipfile.ZipFile(archive, "w") as target:
        for name, path in files_of(folder):
            add_file(target, f"{folder.name}/{name}", path.read_bytes(), zipfile.ZIP_DEFLATED)


def add_file(target: zipfile.ZipFile, name: str, content: bytes, compression: int) -> None:
    """Add a file of fixed time and permissions to an open zip."""
    entry = zipfile.ZipInfo(name, OLDEST)
    entry.compress_type, entry.external_attr, entry.create_system = compression, REGULAR_FILE, 3
    target.writestr(entry, content)
