"""The cache folder of prepared data: where it lies, which process fills it, how entries are written, read, cleared."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from common.files import atomic_path

KINDS = ("case", "masks", "slices", "volume", "image", "series", "copies")
"""Kinds of entries: images with their mask, a mask alone, a few whole slices, a resampled volume, one image, slices
of series, or which images of a cohort are copies of each other."""

DESCRIPTION = "case.json"


def default_cache_dir() -> Path:
    """``$GLIOMA_CACHE_DIR``, else ``glioma-bundles`` in the user's cache folder."""
    chosen = os.environ.get("GLIOMA_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glioma-bundles" / "cases"


def open_entry(entry: Path, arrays: Sequence[str], store: Callable[[], None]) -> dict[str, Any]:
    """Read the description of an entry of the cache; ``store`` is called first where the entry is not complete.

    Args:
        entry: its folder.
        arrays: the files that it must hold besides the description.
        store: writes them, and the description last: its presence shows that the entry is complete.

    Returns:
        The content of the description.
    """
    if not all((entry / name).is_file() for name in (DESCRIPTION, *arrays)):
        store()
    return json.loads((entry / DESCRIPTION).read_text(encoding="utf-8"))


@contextmanager
def first_process_first() -> Iterator[None]:
    """The first process fills the cache alone; then the others run the same block and find its entries.

    A process that has not loaded torch is the only one: torch and ignite, which take seconds, are not loaded for this.
    """
    if "torch.distributed" not in sys.modules:
        yield
        return
    import ignite.distributed as idist

    if idist.get_rank() > 0:
        idist.barrier()
    yield
    if idist.get_rank() == 0 and idist.get_world_size() > 1:
        idist.barrier()


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array as ``.npy``, atomically."""
    with atomic_path(path) as temporary:
        np.save(temporary, array)


def cache_size(cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Bytes that the cache takes on disk."""
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0


def clear_cache(cache_dir: str | os.PathLike[str] | None = None) -> int:
    """Remove the prepared cases; returns the freed bytes."""
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    freed = cache_size(folder)
    for kind in KINDS:
        for entry in folder.glob(f"{kind}-*"):
            shutil.rmtree(entry, ignore_errors=True)
    return freed - cache_size(folder)
