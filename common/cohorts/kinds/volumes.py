"""Patients with registered volumes, and masks of the tumour where they are needed."""

from __future__ import annotations

from common.cohorts.checks import find_header_problems
from common.cohorts.datalist import scan_datalist
from common.cohorts.datasets.data_set import DataSet, Found, Kind, Wanted
from common.cohorts.kinds.cohort_kind import CohortKind, Folder
from common.records import Record, scan_of


def takes_volumes(data_set: DataSet) -> bool:
    """Whether patients of the data set have volumes, as files or in slices."""
    return data_set.kind in (Kind.VOLUMES, Kind.SLICES) and not data_set.healthy


def scan_list(path: Folder, wanted: Wanted) -> Found:
    """A list of one's own; see :func:`~common.cohorts.datalist.scan_datalist`."""
    return scan_datalist(path, wanted.need_seg, wanted.modalities, wanted.excluded, wanted.need_all)


def check_volumes(records: list[Record], wanted: Wanted) -> Found:
    """Look at the header of every file."""
    found = find_header_problems(records, wanted.modalities)
    sound = [record for record in records if scan_of(record) not in found]
    return sound, [problem for wrong in found.values() for problem in wrong]


VOLUMES = CohortKind(
    name="volumes",
    sample="patient",
    samples="patients",
    what="patients with volumes",
    takes=takes_volumes,
    usual="brats2020",
    expected="--dataset_dir <a BraTS folder as downloaded>, or --datalist <a JSON or CSV file>",
    scan_list=scan_list,
    check=check_volumes,
)
