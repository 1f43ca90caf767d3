"""What all kinds of cohorts share: a folder or a list in, sound records and all problems out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from common.cohorts.datasets.data_set import DataSet, Found, Wanted
from common.cohorts.datasets.registry import data_set_named, find_data_set
from common.cohorts.labels.cavity import settle_cavities
from common.errors import DatasetError, KnobError, Problem
from common.names import soundly_named
from common.records import Record

Folder = str | os.PathLike[str]


@dataclass(frozen=True)
class CohortKind:
    """A kind of cohort.

    Args:
        name: what ``kind`` calls it.
        sample: what one of its samples is called in messages.
        samples: what several are called.
        what: what they are, as the opposite of other kinds.
        takes: whether it takes a data set.
        usual: the data set whose reader is asked where none is recognised, and tells what was looked for.
        expected: what to pass, for messages.
        scan_list: reads a list of one's own.
        check: looks at the records' files as far as is cheap; returns the sound records and all problems.
        folders_in_names: whether a sample may be named with its folders, such as ``yes/y12``.
    """

    name: str
    sample: str
    samples: str
    what: str
    takes: Callable[[DataSet], bool]
    usual: str
    expected: str
    scan_list: Callable[[Folder, Wanted], Found]
    check: Callable[[list[Record], Wanted], Found]
    folders_in_names: bool = False


def scan_kind(kind: CohortKind, dataset_dir: Folder | None, datalist: Folder | None, wanted: Wanted) -> Found:
    """The sound samples of a folder, or of a list, and all that is wrong with the others.

    Raises:
        DatasetError: there is nothing to look at, or something else than this kind.
        KnobError: neither a folder nor a list is given, or an excluded sample is not there.
    """
    if datalist:
        records, problems = kind.scan_list(datalist, wanted)
    elif dataset_dir:
        records, problems = choose_data_set(kind, dataset_dir).scan(dataset_dir, wanted)
    else:
        raise KnobError(Problem("no data set is given", "--dataset_dir", f"Pass {kind.expected}."))
    if not records and not problems:
        hint = f"Exclude fewer {kind.samples}."
        raise DatasetError(Problem(f"no {kind.sample} is left", str(datalist or dataset_dir), hint))
    records, misnamed = soundly_named(records, folders=kind.folders_in_names)
    records, refused = settle_cavities(records, wanted.cavity, wanted.need_seg, str(datalist or dataset_dir))
    sound, wrong = kind.check(records, wanted)
    return sound, [*problems, *misnamed, *refused, *wrong]


def choose_data_set(kind: CohortKind, folder: Folder) -> DataSet:
    """The data set of a folder, or the kind's usual one where none is recognised.

    Raises:
        DatasetError: the folder holds a data set that is not read, or that this kind does not take.
    """
    found = find_data_set(folder, kind.takes)
    if found is None:
        return data_set_named(kind.usual)
    if found.refused:
        raise DatasetError(Problem(f"holds {found.title}", str(folder), found.refused))
    if not kind.takes(found):
        hint = f"{found.read_by} Here, pass {kind.expected}.".strip()
        raise DatasetError(Problem(f"holds {found.title}: {found.kind.value}, no {kind.what}", str(folder), hint))
    return found
