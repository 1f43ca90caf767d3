"""Copies of an image become one subject, so that every split, interval and count keeps them together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from common.copies.groups import CopyReport, join_pairs
from common.records import Record, scan_of, without_key


def group_copies(records: Sequence[Record], copies: CopyReport) -> list[Record]:
    """Copies of the records whose ``subject`` is the group of copies that the image belongs to, ``scan`` its own name.

    Images with the same ``subject`` or the same ``group`` in a list stay together, with all their copies. A group is
    named after the first of its subjects.

    Args:
        records: an image each, with ``subject`` and perhaps ``scan`` and ``group``.
        copies: which of them are copies, by their names (:func:`~common.cohorts.scan_of`).
    """
    names = [scan_of(record) for record in records]
    place = {name: index for index, name in enumerate(names)}
    links = [(place[pair.first], place[pair.second]) for pair in copies.pairs]
    for key in ("subject", "group"):
        links += _links([record.get(key) for record in records])
    numbers = join_pairs(links, len(records)).tolist()
    called: dict[int, str] = {}
    for number, record in zip(numbers, records, strict=True):
        called[number] = min(called.get(number, record["subject"]), record["subject"])
    grouped = zip(records, numbers, names, strict=True)
    return [{**record, "subject": called[number], "scan": name} for record, number, name in grouped]


def subjects_of(records: Sequence[Record], copies: CopyReport, split_by: str) -> list[Record]:
    """Copies of the records, whose ``subject`` is what is split.

    Args:
        records: as for :func:`group_copies`.
        copies: which of them are copies.
        split_by: ``patient`` for groups of copies, ``paper`` for single images, as P2 did.
    """
    return single_images(records) if split_by == "paper" else group_copies(records, copies)


def single_images(records: Sequence[Record]) -> list[Record]:
    """Copies of the records, each image a subject of its own."""
    return [{**without_key(record, "scan"), "subject": scan_of(record)} for record in records]


def _links(values: Sequence[Hashable | None]) -> list[tuple[int, int]]:
    """Each place with the first one of the same value."""
    first: dict[Hashable, int] = {}
    return [(first.setdefault(value, index), index) for index, value in enumerate(values) if value is not None]
