"""Which images of a cohort are copies of each other, in the cache: an evaluation does not search again."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from common.cache_folder import DESCRIPTION, default_cache_dir, first_process_first
from common.copies.groups import CopyPair, CopyReport
from common.copies.search import THRESHOLD, search_copies
from common.errors import KnobError, Problem
from common.files import stable_hash, write_json
from common.formats.volumes import volume_stamp
from common.records import Record, scan_of

COPIES_VERSION = 2
"""Raise it when the search finds other copies."""


def find_copies(
    records: Sequence[Record], threshold: float = THRESHOLD, cache_dir: str | os.PathLike[str] | None = None
) -> CopyReport:
    """The copies in a cohort, searched once for the same files; the cache serves any threshold.

    Args:
        records: with ``image``, each with its own name (:func:`~common.cohorts.scan_of`).
        threshold: see :func:`~common.copies.search.search_copies`.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.

    Returns:
        All compared pairs with their scores; those from ``threshold`` up count as copies.

    Raises:
        DatasetError: an image cannot be read.
        KnobError: the threshold is out of range.
        OutputError: the cache cannot be written.
    """
    if not 0 < threshold <= 1:
        hint = f"Choose from 0 to 1, such as {THRESHOLD}."
        raise KnobError(Problem(f"{threshold} is not a correlation", "--copy_threshold", hint))
    images = {scan_of(record): str(record["image"]) for record in records}
    stamps = sorted([name, volume_stamp(path)] for name, path in images.items())
    folder = Path(cache_dir) if cache_dir else default_cache_dir()
    found = folder / f"copies-{stable_hash([COPIES_VERSION, stamps])[:24]}" / DESCRIPTION
    with first_process_first():
        if not found.is_file():
            singles: list[Record] = [{"subject": name, "image": path} for name, path in images.items()]
            write_json(found, search_copies(singles, threshold, progress=True).compared)
    compared = [CopyPair(*pair) for pair in json.loads(found.read_text(encoding="utf-8"))]
    return CopyReport(images, compared, threshold)
