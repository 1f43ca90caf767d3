"""Which of the judged records are phantoms; whatever is written later reads it here and opens no image."""

from __future__ import annotations

from collections.abc import Sequence

from common.cohorts.phantom_mark import is_phantom
from common.records import Record


def mark_phantoms(records: Sequence[Record]) -> list[Record]:
    """The records with ``phantom``; the header of an image is read for those that do not have it yet."""
    return [record if "phantom" in record else {**record, "phantom": is_phantom(record)} for record in records]
