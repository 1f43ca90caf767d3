"""Checks a data set of single images: what is there, and which images are copies of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from common.cohorts.datasets.registry import source_name, tell_terms
from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import scan_cohort
from common.copies.cached_search import find_copies
from common.copies.groups import CopyReport
from common.copies.search import IDENTICAL
from common.copies.subjects import group_copies
from common.errors import KnobError, Problem, list_some
from common.formats.image_headers import read_image_header
from common.records import Record, scan_of
from common.reports.checkups.lines import align, count_kinds
from common.reports.checkups.volumes import Checkup, Request
from common.reports.copies import draw_copies
from common.reports.copy_pictures import find_doubtful_pairs
from common.shortcuts.probe import probe_shortcuts

MOST_SHOWN = 5
ALL_IMAGES, ALL_HEADERS = "all images", "headers of all images"


def check_images(request: Request) -> Checkup:
    """Check images in folders of classes: their data, problems, copies, and what predicts the class.

    Raises:
        KnobError: the folder for pictures lies in the data set.
        OutputError: it cannot be written to.
    """
    _refuse_inside(request)
    records, problems = scan_cohort(
        request.folder,
        request.datalist,
        request.exclude,
        kind="images",
        need_label=not request.unlabelled,
        decode=not request.headers_only,
    )
    read = ALL_HEADERS if request.headers_only else ALL_IMAGES
    if not records:
        return Checkup("", problems, read)
    headers = [read_image_header(record["image"]) for record in records]
    records = [
        {**record, "original_size": header.size, "stored_as": header.traits}
        for record, header in zip(records, headers, strict=True)
    ]
    grouped, sections = records, []
    if not request.headers_only:
        copies = find_copies(records)
        grouped = group_copies(records, copies)
        sections.append(f"Copies of each other\n{_describe_all_copies(copies, records, request.output)}")
    labelled = [cast(Record, {**record, "class": record["class_name"]}) for record in grouped]
    sections.append(probe_shortcuts(labelled, "class").text())
    return Checkup(describe_images(records), problems, read, sections)


def describe_images(records: Sequence[Record]) -> str:
    """The images, one line per fact.

    Args:
        records: with ``original_size`` and ``stored_as``.
    """
    phantoms = sum(map(is_phantom, records))
    lines = {
        "images": f"{len(records)} ({count_kinds(source_name(record['source']) for record in records)})"
        + (f"; {phantoms} are phantoms, no patients" if phantoms else ""),
        "classes": count_kinds(record["class_name"] or "without a class" for record in records),
        "size": count_kinds("x".join(map(str, record["original_size"])) for record in records),
        "stored as": count_kinds(_told(record["stored_as"]) for record in records),
    }
    terms = tell_terms(record["source"] for record in records)
    return align(lines | {"terms": terms} if terms else lines)


def describe_copies(copies: CopyReport, class_of: Mapping[str, str | None]) -> dict[str, str]:
    """How many images are copies of each other, the pairs next to the threshold, and copies of different classes.

    Args:
        copies: of the data set.
        class_of: the class of every image, ``None`` where it has none.

    Returns:
        A text under each line's name.
    """
    total, largest = len(copies.images), copies.groups[0]
    identical = sum(pair.transform == IDENTICAL for pair in copies.pairs)
    copied = sum(len(group) for group in copies.groups if len(group) > 1)
    kept, refused = find_doubtful_pairs(copies, 1)
    lines = {
        "groups": f"{len(copies.groups)}, where an image without a copy counts as one",
        "with a copy": f"{copied} of {total} images",
        "largest group": f"{len(largest)} images, such as {largest[0]}" if copied else "none",
        "same file": f"{identical} pair{'s' * (identical != 1)}",
    }
    doubtful = [(name, pairs[0]) for name, pairs in (("least sure", kept), ("refused", refused)) if pairs]
    lines |= {name: f"{pair.first} and {pair.second}: {pair.score:.2f}" for name, pair in doubtful}
    return lines | {"mixed classes": _describe_mixed_classes(copies.groups, class_of)}


def _describe_all_copies(copies: CopyReport, records: Sequence[Record], output: str | None) -> str:
    """:func:`describe_copies`, and where the pictures are."""
    lines = describe_copies(copies, {scan_of(record): record["class_name"] for record in records})
    if output:
        lines["look at"] = str(draw_copies(copies, output))
    else:
        lines["look at"] = "--output <folder> draws the groups, and lists the copies of every image"
    return align(lines)


def _describe_mixed_classes(groups: Iterable[Sequence[str]], class_of: Mapping[str, str | None]) -> str:
    """The groups whose images have several classes: either one label is wrong, or they are no copies."""
    found = [group for group in groups if len({class_of[name] for name in group} - {None}) > 1]
    if not found:
        return "none"
    shown = list_some([_one_of_each(group, class_of) for group in found], MOST_SHOWN, "; ")
    return f"! {len(found)} group{'s' * (len(found) > 1)} with copies in several classes: {shown}"


def _one_of_each(group: Sequence[str], class_of: Mapping[str, str | None]) -> str:
    """``no/12 with yes/7``: the first image of each class."""
    first = {class_of[name]: name for name in reversed(group)}
    return " with ".join(sorted(name for label, name in first.items() if label is not None))


def _told(stored: Mapping[str, str]) -> str:
    """``JPEG (RGB)``, ``PNG (grey, 16 bits)``."""
    bits = "" if stored["bits"] == "8" else f", {stored['bits']} bits"
    return f"{stored['format']} ({stored['colour']}{bits})"


def _refuse_inside(request: Request) -> None:
    if not request.output or not request.folder:
        return
    output, folder = (Path(path).expanduser().resolve() for path in (request.output, request.folder))
    if output == folder or folder in output.parents:
        what = "the folder for the pictures lies in the data set, and would be read as part of it"
        raise KnobError(Problem(what, f"--output {request.output}", "Name another folder."))
