"""Finding files that are equal: one patient under two names could be on both sides of a split."""

from __future__ import annotations

import filecmp
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.errors import Problem

READERS = 8
PIECE = 4096


def find_identical_files(images: Mapping[str, str]) -> Iterator[tuple[str, Problem]]:
    """Find patients whose image is byte for byte that of an earlier patient.

    Args:
        images: a file for each patient, or for each scan where patients have several.

    Yields:
        The name of the later one, and the problem that names both.
    """
    names = list(images)
    for first, later in identical_pairs(list(images.values())):
        name, other = names[later], names[first]
        what = f"patient {name} has the same file as patient {other}, {images[other]}"
        hint = f"Keep one of the two, for example with --exclude {name}."
        yield name, Problem(what, images[name], hint)


def identical_pairs(paths: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Files that are equal byte for byte, each with the first of its kind; what cannot be read equals nothing.

    Yields:
        The places of the first one and of the later one.
    """
    with ThreadPoolExecutor(READERS) as pool:
        marks = list(pool.map(_fingerprint, paths))
    kinds: dict[tuple[int, bytes], list[int]] = {}  # the first file of each kind, by what different kinds may share
    for place, mark in enumerate(marks):
        if mark is None:
            continue
        firsts = kinds.setdefault(mark, [])
        same = next((first for first in firsts if filecmp.cmp(paths[place], paths[first], shallow=False)), None)
        if same is None:
            firsts.append(place)
        else:
            yield same, place


def _fingerprint(path: str) -> tuple[int, bytes] | None:
    """Length and a piece from the middle of a file: equal for equal files, hardly ever for others."""
    try:
        with Path(path).open("rb") as file:
            length = file.seek(0, 2)
            file.seek(length // 2)
            return length, hashlib.sha256(file.read(PIECE)).digest()
    except OSError:
        return None
