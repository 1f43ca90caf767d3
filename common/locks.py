"""One run at a time in a folder: locks of the operating system, which end with the process that holds them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from common.errors import OutputError, Problem
from common.files import remove_abandoned, writing

_held: dict[Path, dict[Path, FileLock]] = {}
"""The locks of each run of this process."""


def hold(
    run: str | os.PathLike[str], folder: str | os.PathLike[str], file: str | os.PathLike[str] | None = None
) -> None:
    """Keep other processes from what a run writes, until :func:`release` or the end of this process.

    A folder's lock is a file ``.lock`` in it, a file's is ``.<name>.lock`` beside it. They stay, and mean nothing when
    no process holds them: after a crash there is nothing to remove. This process may ask again.

    Args:
        run: by what :func:`release` knows it, such as its folder.
        folder: that the run writes into.
        file: elsewhere, that it writes too.

    Raises:
        OutputError: another process holds one of them, or the lock cannot be written.
    """
    wanted = {Path(folder) / ".lock": Path(folder)}
    if file is not None:
        wanted[Path(file).with_name(f".{Path(file).name}.lock")] = Path(file)
    locks: dict[Path, FileLock] = {}
    try:
        for path, place in wanted.items():
            if not any(path.resolve() in taken for taken in _held.values()):
                locks[path.resolve()] = _take(path, place)
    except OutputError:
        for lock in locks.values():
            lock.release(force=True)
        raise
    _held.setdefault(Path(run).resolve(), {}).update(locks)


def release(run: str | os.PathLike[str]) -> None:
    """Let other processes write where a run did."""
    for lock in _held.pop(Path(run).resolve(), {}).values():
        lock.release(force=True)


@contextmanager
def holding(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Hold a folder for a block.

    Raises:
        OutputError: as for :func:`hold`.
    """
    hold(folder, folder)
    try:
        yield
    finally:
        release(folder)


def _take(path: Path, place: Path) -> FileLock:
    lock = FileLock(path, timeout=0, thread_local=False)
    with writing(place):
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path.parent)  # a resumed run may have nothing to write there
        try:
            lock.acquire()
        except NotImplementedError:
            pass  # of a file system without locks
        except Timeout:
            hint = "Wait until it has ended, or choose another folder."
            raise OutputError(Problem("another process is writing here", place, hint)) from None
    return lock
