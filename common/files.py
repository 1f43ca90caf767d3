"""Writing files so that an interrupted or failed write never damages the previous file."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from common.errors import OutputError, Problem

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


UMASK = _umask()
"""Read once: it can only be read by setting it, which two threads must not do at the same time."""

UNFINISHED = ".writing-"
"""How the names of temporary files begin."""

_seen: set[tuple[int, Path]] = set()
"""Folders in which a process has looked for temporary files of others that were killed."""

LEAVES = "Name the patient without folders, and remove links that lead out of the output folder."


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Tell what keeps a block from writing as an error of ours.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """
    try:
        yield
    except OSError as error:
        raise OutputError(_explain(error, Path(path))) from error


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that replaces it when the block ends without an error.

    The suffixes are kept (``.nii.gz`` stays ``.nii.gz``), since writers choose the format by them. When the block
    raises, the temporary file is removed and the file at ``path`` stays. What a killed process left in the folder is
    removed by the next one that writes there.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    temporary: Path | None = None
    claim: int | None = None
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_abandoned(path.parent)
            temporary, claim = _create(path)
            yield temporary
            temporary.chmod(0o666 & ~UMASK)
            os.replace(temporary, path)
        finally:
            if claim is not None:
                os.close(claim)
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)


def _create(path: Path) -> tuple[Path, int | None]:
    """A temporary file beside ``path``, and the open file whose lock shows that its writer lives."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED, suffix="".join(path.suffixes[-2:]))
        try:
            if not _claim(handle):
                os.close(handle)  # Windows replaces no open file
                return Path(name), None
            if os.path.exists(name):  # noqa: PTH110
                return Path(name), handle
        except BlockingIOError:
            pass
        os.close(handle)  # another process took it for abandoned before it was claimed


def remove_abandoned(folder: Path) -> None:
    """Remove the temporary files that killed processes have left in a folder; a process looks into each but once."""
    if fcntl is None or (os.getpid(), folder) in _seen:
        return
    _seen.add((os.getpid(), folder))
    for path in folder.glob(f"{UNFINISHED}*"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR)
            try:
                if _claim(handle):
                    path.unlink()
            finally:
                os.close(handle)


def _claim(handle: int) -> bool:
    """Lock an open file; ``False`` where there are no locks.

    Raises:
        BlockingIOError: another process has.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


@contextmanager
def scratch_folder(parent: str | Path, prefix: str) -> Iterator[Path]:
    """A new folder for unfinished things, which is removed in the end; those of killed processes are too.

    The caller holds ``parent``; see :mod:`common.locks`.

    Args:
        parent: where it lies.
        prefix: of its name, with a dot in front.

    Raises:
        OutputError: the folder cannot be written to, or the disk is full.
    """
    with writing(parent):
        Path(parent).mkdir(parents=True, exist_ok=True)
        for abandoned in Path(parent).glob(f"{prefix}*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


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


def user_path(path: str | os.PathLike[str], folder: str | os.PathLike[str] = ".") -> Path:
    """The absolute path that a person means; ``~`` is the person's home, and ``~x`` stays where there is no user x.

    Args:
        path: as it was written.
        folder: where relative paths start.
    """
    return Path(folder, os.path.expanduser(path)).absolute()  # noqa: PTH111 - Path's own raises an error there


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether there is such a file; no, too, where the system refuses the name, as one of 300 letters."""
    return os.path.isfile(path)  # noqa: PTH113 - Path's own raises an error there before Python 3.14


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether there is such a folder; see :func:`is_file`."""
    return os.path.isdir(path)  # noqa: PTH112


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
    partly = error.errno is None and "written" in str(error)  # numpy's "256 requested and 128 written"
    if partly or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        what = "no space is left to write it; the old file, if any, is unchanged"
        return Problem(what, path, "Free some disk space, or raise the limit, and start again.")
    reason = (error.strerror or str(error)).lower()
    other = "" if error.filename is None or str(error.filename).startswith(str(path.parent)) else f": {error.filename}"
    return Problem(f"cannot be written ({reason}{other})", path, "Choose a folder that you may write to.")
