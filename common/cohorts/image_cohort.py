"""The cohort of single images that a run works on, as its knobs say."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from common.cohorts.br35h import scan_br35h
from common.cohorts.exclusion import split_names
from common.cohorts.image_checks import find_image_problems
from common.cohorts.image_list import scan_image_list
from common.errors import DatasetError, KnobError, Problem
from common.records import Record


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
        A record an image, sorted by subject; see :func:`~common.cohorts.br35h.read_br35h`.

    Raises:
        DatasetError: with all that is wrong with the folder, the list and the images.
        KnobError: neither a folder nor a list is given, or an excluded image is not there.
    """
    records, problems = scan_image_cohort(dataset_dir, datalist, exclude, need_label)
    if problems:
        raise DatasetError(problems)
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
    excluded = split_names(exclude)
    place = datalist or dataset_dir
    if not place:
        mend = "Pass --dataset_dir <a folder with a subfolder a class>, or --datalist <a JSON or CSV file>."
        raise KnobError(Problem("no data set is given", "--dataset_dir", mend))
    if datalist:
        records, problems = scan_image_list(datalist, excluded, need_label)
    elif not need_label and Path(place).is_file():
        records, problems = [_one_image(Path(place))], []
    else:
        records, problems = scan_br35h(place, excluded, need_label)
    if not records and not problems:
        raise DatasetError(Problem("no image is left", str(place), "Exclude fewer images."))
    found = find_image_problems(records)
    sound = [record for record in records if record["image"] not in found]
    return sound, [*problems, *(problem for wrong in found.values() for problem in wrong)]


def _one_image(path: Path) -> Record:
    image = str(path.expanduser().absolute())
    return {"subject": path.stem, "image": image, "label": None, "class_name": None, "source": "files"}
