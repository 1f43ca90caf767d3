"""Single images of classes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tqdm import tqdm

from common.cohorts.datasets.data_set import Found, Kind, Wanted
from common.cohorts.image_list import scan_image_list
from common.cohorts.kinds.cohort_kind import CohortKind, Folder
from common.errors import DatasetError, Problem
from common.formats.image_headers import read_image_header
from common.formats.images import read_image
from common.records import Record

READERS = 4
PATIENCE = 1
"""Seconds without a progress bar."""


def scan_list(path: Folder, wanted: Wanted) -> Found:
    """A list of one's own; see :mod:`common.cohorts.image_list`."""
    return scan_image_list(path, wanted.excluded, wanted.need_label)


def check_images(records: list[Record], wanted: Wanted) -> Found:
    """Decode every image once, or read its header."""
    found = find_image_problems(records, wanted.decode)
    sound = [record for record in records if record["image"] not in found]
    return sound, [problem for wrong in found.values() for problem in wrong]


def find_image_problems(records: Sequence[Record], decode: bool = True) -> dict[str, list[Problem]]:
    """Files that are missing, empty, truncated, no image, too small or of one colour, by their paths.

    Args:
        records: with ``image``.
        decode: whether pixels are looked at; else headers alone.
    """
    paths = list(dict.fromkeys(record["image"] for record in records))
    told = {"desc": "Reading images", "unit": "image", "delay": PATIENCE, "leave": False}
    with ThreadPoolExecutor(READERS) as pool:
        results = tqdm(pool.map(_check if decode else _check_header, paths), total=len(paths), **told)
        found = zip(paths, results, strict=True)
        return {path: problems for path, problems in found if problems}


def _check_header(path: str) -> list[Problem]:
    try:
        read_image_header(path)
    except DatasetError as error:
        return list(error.problems)
    return []


def _check(path: str) -> list[Problem]:
    try:
        pixels = read_image(path)
    except DatasetError as error:
        return list(error.problems)
    if pixels.min() == pixels.max():
        return [Problem("all its pixels are equal", path, "Replace the file by an intact one, or remove it.")]
    return []


IMAGES = CohortKind(
    name="images",
    sample="image",
    samples="images",
    what="images",
    takes=lambda data_set: data_set.kind is Kind.IMAGES,
    usual="br35h",
    expected="--dataset_dir <a folder with a subfolder a class>, or --datalist <a JSON or CSV file>",
    scan_list=scan_list,
    check=check_images,
    folders_in_names=True,
)
