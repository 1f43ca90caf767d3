"""Every image of a cohort decoded once before a run, and all that is wrong told at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from common.errors import DatasetError, Problem
from common.formats.images import read_image
from common.records import Record

READERS = 4


def check_images(records: Sequence[Record]) -> None:
    """Decode the image of every record: some milliseconds each, so it is done before each run.

    Raises:
        DatasetError: with every file that is missing, empty, truncated, no image, too small or of one colour.
    """
    problems = find_image_problems(records)
    if problems:
        raise DatasetError(problem for found in problems.values() for problem in found)


def find_image_problems(records: Sequence[Record]) -> dict[str, list[Problem]]:
    """What :func:`check_images` raises, by the path that it befalls; sound images do not appear."""
    paths = list(dict.fromkeys(record["image"] for record in records))
    with ThreadPoolExecutor(READERS) as pool:
        found = zip(paths, pool.map(_check, paths), strict=True)
        return {path: problems for path, problems in found if problems}


def _check(path: str) -> list[Problem]:
    try:
        pixels = read_image(path)
    except DatasetError as error:
        return list(error.problems)
    if pixels.min() == pixels.max():
        return [Problem("all its pixels are equal", path, "Replace the file by an intact one, or remove it.")]
    return []
