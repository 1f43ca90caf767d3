"""What a check of a data set found, and how patients with volumes are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from common.cohorts.brains.extraction import no_brain_problem, unmasked_heads
from common.cohorts.checks import check_voxels
from common.cohorts.datalist import unread_columns
from common.cohorts.reading import scan_cohort
from common.copies.same_scans import compare_scans
from common.errors import DatasetError, Problem, sum_up
from common.formats.voxel_hashes import hash_each
from common.records import MODALITIES, Record
from common.reports.checkups.cohort import CaseCost, describe_cache, describe_cohort, measure_case
from common.shortcuts.probe import probe_shortcuts
from common.transforms.brain.image_doubts import image_doubts
from common.transforms.brain.mask_doubts import mask_doubts
from common.transforms.cases import Case
from common.transforms.reading import read_checked

ONE_IMAGE = ("t1ce",)
ALL, FIRST = "all headers and all voxels", "headers of all patients and voxels of the first"


@dataclass(frozen=True)
class Request:
    """What to check.

    Args:
        folder: a data set as downloaded.
        datalist: a list in its place.
        healthy: an IXI folder, in addition.
        exclude: names to leave out, comma-separated.
        unlabelled: masks and labels may be absent.
        cavity: what a mask's resection cavity becomes; see :mod:`common.cohorts.labels.cavity`.
        headers_only: read headers, and voxels of the first patient alone.
        output: a folder for tables and pictures.
    """

    folder: str | None = None
    datalist: str | None = None
    healthy: str | None = None
    exclude: str | None = None
    unlabelled: bool = False
    cavity: str = "refuse"
    headers_only: bool = False
    output: str | None = None

    @property
    def places(self) -> str:
        """The folders or the list that are checked."""
        return " and ".join(filter(None, (self.datalist or self.folder, self.healthy)))


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Args:
        there: what is there, in lines; empty where nothing can be read.
        problems: all that is wrong.
        read: a phrase that says what was read.
        sections: further text.
    """

    there: str
    problems: Sequence[Problem]
    read: str
    sections: Sequence[str] = ()

    def text(self, places: str) -> str:
        """Everything, in the order in which it should be read."""
        parts = [f"What is there: {places}\n{self.there}"] if self.there else []
        if self.problems:
            count = f"{len(self.problems)} problem{'s' * (len(self.problems) > 1)}"
            parts.append("\n".join([f"What is wrong: {count}", *sum_up(self.problems)]))
        else:
            parts.append(f"What is wrong: nothing ({self.read} were read)")
        return "\n\n".join([*parts, *self.sections])


def check_patients(request: Request) -> Checkup:
    """Check patients with four registered volumes: their data, problems, shortcuts to the grade, size of the cache."""
    records, problems = scan_cohort(
        request.folder, request.datalist, request.exclude, need_seg=not request.unlabelled, cavity=request.cavity
    )
    costs, found, cases = _measure(records[:1] if request.headers_only else records)
    same = compare_scans(cases)
    unread = filter(None, [unread_columns(request.datalist)])
    sections = [
        *doubt_sections([*unread, *same.warnings, *image_doubts(cases), *mask_doubts(cases)]),
        *_shortcuts(records),
    ]
    if costs:
        sections.append(f"Training cache\n{describe_cache(costs, len(records))}")
    there = describe_cohort(records) if records else ""
    return Checkup(there, [*problems, *found, *same.problems], FIRST if request.headers_only else ALL, sections)


def check_people(request: Request) -> Checkup:
    """Check people with one volume each, some of them healthy; heads need brain masks."""
    records, problems = scan_cohort(
        request.folder,
        request.datalist,
        request.exclude,
        kind="people",
        healthy_dir=request.healthy,
        modalities=ONE_IMAGE,
        need_label=False,
    )
    found, cases = _read_volumes(records[:1] if request.headers_only else records)
    same = compare_scans(cases)
    there = describe_cohort(records, ONE_IMAGE) if records else ""
    unread = filter(None, [unread_columns(request.datalist)])
    sections = [*doubt_sections([*unread, *same.warnings]), *_shortcuts(records)]
    return Checkup(there, [*problems, *found, *same.problems], FIRST if request.headers_only else ALL, sections)


def doubt_sections(warnings: Sequence[str]) -> list[str]:
    """A section on what may be wrong; none where there is nothing to tell."""
    return ["\n".join(["What may be wrong", *(f"  - {warning}" for warning in warnings)])] if warnings else []


def _shortcuts(records: Sequence[Record]) -> list[str]:
    return [probe_shortcuts(records, "grade").text()] if records else []


def _measure(records: Sequence[Record]) -> tuple[list[CaseCost], list[Problem], list[Case]]:
    """Read all voxels, with a progress bar: the cost of each patient in the cache, the problems, and the hashes."""
    costs: list[CaseCost] = []
    problems: list[Problem] = []
    cases: list[Case] = []
    for record in tqdm(records, desc="Reading voxels", unit="patient", disable=not records):
        cost, found, case = measure_case(record, MODALITIES)
        costs += [cost] if cost else []
        problems += found
        cases.append(case)
    return costs, problems, cases


def _read_volumes(records: Sequence[Record]) -> tuple[list[Problem], list[Record]]:
    """Read all voxels, with a progress bar: the problems, which heads have no mask too, and the hashes."""
    from common.cohorts.brains.extraction import installed_tool

    problems: list[Problem] = []
    cases: list[Record] = []
    for record in tqdm(records, desc="Reading voxels", unit="person", disable=not records):
        try:
            images, _, affine = read_checked(record, ONE_IMAGE)
        except DatasetError as error:
            problems += dict.fromkeys((*error.problems, *check_voxels(record, ONE_IMAGE)))
        else:
            cases.append({**record, "voxel_hashes": hash_each(dict(zip(ONE_IMAGE, images, strict=True)), affine)})
    heads = [] if installed_tool() else unmasked_heads(records, ONE_IMAGE)
    return [*problems, *([no_brain_problem(heads)] if heads else [])], cases
