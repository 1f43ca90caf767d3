"""Marks the judged records that are phantoms; later steps read the mark and open no image."""

from __future__ import annotations

from collections.abc import Sequence

from common.cohorts.phantom_mark import is_phantom
from common.records import Record


def mark_phantoms(records: Sequence[Record]) -> list[Record]:
    """The records with ``phantom``.

    Returns:
        Copies; the header of an image is read for records that do not have ``phantom`` yet.
    """
    return [record if "phantom" in record else {**record, "phantom": is_phantom(record)} for record in records]
