"""Files of a package: checksums, and a zip that is the same, byte by byte, for the same files."""

from __future__ import annotations

import hashlib
import lzma
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from common.errors import PackageError, Problem
from common.vendored import MANIFEST

OLDEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can store; every file gets it."""

REGULAR_FILE = 0o644 << 16
FETCH_AGAIN = "Download or copy it again, or make it anew with make package."

GIGABYTE = 1e9
MOST_BYTES = 20e9
"""Of a package when it is unpacked."""

UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError),
    *(NotImplementedError, RuntimeError),
)
"""What ``zipfile`` raises of a damaged or encrypted zip."""


def files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by their relative names, in one order everywhere; what Python compiled is left out."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    yield from ((name, found[name]) for name in sorted(found) if "__pycache__" not in name)


def checksums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder by its relative name, the manifest excepted."""
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files_of(folder) if name != MANIFEST}


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the zip of a package.

    Args:
        archive: the zip.
        folder: it is unpacked in.

    Returns:
        The package's own folder in it.

    Raises:
        PackageError: it is no zip or is damaged, it holds anything besides one folder, or its files would lie elsewhere
            or are links.
    """
    try:
        with zipfile.ZipFile(archive) as source:
            entries = source.infolist()
            problems = [Problem(what, str(archive), FETCH_AGAIN) for what in _find_faults(entries)]
            if problems:
                raise PackageError(problems)
            source.extractall(folder)
    except UNREADABLE as error:
        raise PackageError(Problem(f"it is no zip, or is damaged ({error})", str(archive), FETCH_AGAIN)) from error
    return folder / PurePosixPath(entries[0].filename).parts[0]


def _find_faults(entries: Sequence[zipfile.ZipInfo]) -> Iterator[str]:
    if not entries:
        yield "it holds no file"
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or set("\\:\0") & set(entry.filename):
            yield f"{entry.filename!r} would lie outside the folder"
        elif stat.S_ISLNK(entry.external_attr >> 16):
            yield f"{entry.filename!r} is a link"
    tops = {PurePosixPath(entry.filename).parts[:1] for entry in entries}
    alone = [entry.filename for entry in entries if "/" not in entry.filename]
    if len(tops) > 1 or alone:
        yield "it holds something besides the folder of one package"
    names = Counter(entry.filename for entry in entries)
    yield from (f"{name!r} is in it {count} times" for name, count in names.items() if count > 1)
    if (size := sum(entry.file_size for entry in entries)) > MOST_BYTES:
        yield f"it claims {size / GIGABYTE:.3g} GB; at most {MOST_BYTES / GIGABYTE:.3g} GB are unpacked"


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
