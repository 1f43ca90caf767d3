"""Writing files so that an interrupted or failed write never damages the previous file."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import OutputError, Problem


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


UMASK = _umask()
"""Read once: it can only be read by setting it, which two threads must not do at the same time."""

LEAVES = "Name the patient without folders, and remove links that lead out of the output folder."


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it when the block ends without an error.

    The suffixes are kept (``.nii.gz`` stays ``.nii.gz``), since writers choose the format by them. When the block
    raises, the temporary file is removed and the file at ``path`` stays.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-", suffix="".join(path.suffixes[-2:]))
        os.close(handle)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o666 & ~UMASK)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(_explain(error, path)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def path_within(folder: str | Path, name: str) -> Path:
    """``folder/name``, once it is sure that a file written there lies in the folder.

    Args:
        folder: where results go; it may be a link.
        name: of the file, perhaps in a subfolder.

    Raises:
        OutputError: by ``..``, by a name that starts at the root, or by a link within it, it would lie elsewhere.
    """
    path = Path(folder) / name
    try:
        root, target = Path(folder).resolve(), path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise OutputError(Problem(f"is no place to write to ({error})", repr(str(path)), LEAVES)) from error
    if target == root or not target.is_relative_to(root):
        raise OutputError(Problem(f"it would be written outside {root}, to {target}", path, LEAVES))
    return path


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as indented JSON, atomically; numbers that are not finite become ``null``."""
    with atomic_path(path) as temporary:
        text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` in UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """The content of a JSON file, with or without a byte order mark.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, or nested so deep that nothing could be done with it.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except RecursionError:
        raise ValueError("its brackets are nested too deep") from None


def stable_hash(content: Any) -> str:
    """The SHA-256 of ``content`` written as canonical JSON, in hexadecimal: equal on every machine."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def _explain(error: OSError, path: Path) -> Problem:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(
            "no space is left to write it; the old file, if any, is unchanged", path, "Free some disk space."
        )
    reason = (error.strerror or str(error)).lower()
    return Problem(f"cannot be written ({reason})", path, "Choose a folder that you may write to.")
