"""The cohort of single images that a run works on, as its knobs say."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.cohorts.datasets.br35h import scan_br35h
from common.cohorts.exclusion import split_names
from common.cohorts.image_list import scan_image_list
from common.command_line import as_typed
from common.errors import DatasetError, KnobError, Problem
from common.formats.images import read_image
from common.names import soundly_named, warn_of_similar_names
from common.records import Record

READERS = 4


def read_image_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_label: bool = True,
) -> list[Record]:
    """Read the images of a run and decode each of them once.

    Args:
        dataset_dir: Br35H as downloaded or a folder of classes; without ``need_label`` bare images too.
        datalist: a JSON or CSV list that replaces the folder.
        exclude: subjects to leave out, as a list or comma-separated; their files are not looked at.
        need_label: whether images without a class are left out.

    Returns:
        A record an image, sorted by subject; see :func:`~common.cohorts.datasets.br35h.read_br35h`.

    Raises:
        DatasetError: with all that is wrong with the folder, the list and the images.
        KnobError: neither a folder nor a list is given, or an excluded image is not there.
    """
    records, problems = scan_image_cohort(dataset_dir, datalist, exclude, need_label)
    if problems:
        raise DatasetError(problems)
    if datalist:  # elsewhere an image is its own subject, and is numbered as it pleases
        warn_of_similar_names(records)
    return records


def scan_image_cohort(
    dataset_dir: str | os.PathLike[str] | None = None,
    datalist: str | os.PathLike[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    need_label: bool = True,
) -> tuple[list[Record], list[Problem]]:
    """Like :func:`read_image_cohort`, but return the sound images and all problems of the others.

    Raises:
        DatasetError: there is no image to look at.
        KnobError: as in :func:`read_image_cohort`.
    """
    excluded = split_names(as_typed("exclude", exclude))
    place = datalist or dataset_dir
    if not place:
        hint = "Pass --dataset_dir <a folder with a subfolder a class>, or --datalist <a JSON or CSV file>."
        raise KnobError(Problem("no data set is given", "--dataset_dir", hint))
    if datalist:
        records, problems = scan_image_list(datalist, excluded, need_label)
    elif not need_label and Path(place).is_file():
        records, problems = [_one_image(Path(place))], []
    else:
        records, problems = scan_br35h(place, excluded, need_label)
    if not records and not problems:
        raise DatasetError(Problem("no image is left", str(place), "Exclude fewer images."))
    records, misnamed = soundly_named(records, folders=True)
    found = find_image_problems(records)
    sound = [record for record in records if record["image"] not in found]
    return sound, [*problems, *misnamed, *(problem for wrong in found.values() for problem in wrong)]


def _one_image(path: Path) -> Record:
    image = str(path.expanduser().absolute())
    return {"subject": path.stem, "image": image, "label": None, "class_name": None, "source": "files"}


def check_image_files(records: Sequence[Record]) -> None:
    """Decode the image of every record: some milliseconds each, so it is done before each run.

    Raises:
        DatasetError: with every file that is missing, empty, truncated, no image, too small or of one colour.
    """
    problems = find_image_problems(records)
    if problems:
        raise DatasetError(problem for found in problems.values() for problem in found)


def find_image_problems(records: Sequence[Record]) -> dict[str, list[Problem]]:
    """What :func:`check_image_files` raises, by the path that it befalls; sound images do not appear."""
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
