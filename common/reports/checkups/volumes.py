"""What a check of a data set found, and how patients with volumes are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from common.cohorts.brains.extraction import no_brain_problem, unmasked_heads
from common.cohorts.checks import check_voxels
from common.cohorts.reading import scan_cohort
from common.errors import Problem
from common.records import MODALITIES, Record
from common.reports.checkups.cohort import CaseCost, describe_cache, describe_cohort, measure_case
from common.shortcuts.probe import probe_shortcuts

ONE_IMAGE = ("t1ce",)
ALL, FIRST = "all headers and all voxels", "headers of all patients and voxels of the first"


@dataclass(frozen=True)
class Request:
    """What to check.

    Args:
        folder: a data set as downloaded.
        datalist: a list in its place.
        healthy: an IXI folder beside it.
        exclude: what to leave out, comma-separated.
        unlabelled: masks and labels may be absent.
        headers_only: read as little as shows what is there.
        output: a folder for tables and pictures.
    """

    folder: str | None = None
    datalist: str | None = None
    healthy: str | None = None
    exclude: str | None = None
    unlabelled: bool = False
    headers_only: bool = False
    output: str | None = None

    @property
    def places(self) -> str:
        """Where was looked."""
        return " and ".join(filter(None, (self.datalist or self.folder, self.healthy)))


@dataclass(frozen=True)
class Checkup:
    """What was found.

    Args:
        there: what is there, in lines; empty where nothing is sound.
        problems: all that is wrong.
        read: what was read, in words.
        sections: what else is to be told.
    """

    there: str
    problems: Sequence[Problem]
    read: str
    sections: Sequence[str] = ()

    def text(self, places: str) -> str:
        """All of it, in the order in which it should be read."""
        told = [f"What is there: {places}\n{self.there}"] if self.there else []
        if self.problems:
            count = f"{len(self.problems)} problem{'s' * (len(self.problems) > 1)}"
            told.append("\n".join([f"What is wrong: {count}", *(f"  - {problem}" for problem in self.problems)]))
        else:
            told.append(f"What is wrong: nothing ({self.read} were read)")
        return "\n\n".join([*told, *self.sections])


def check_patients(request: Request) -> Checkup:
    """Patients with four registered volumes: who is there, what is wrong, shortcuts to the grade, the cache."""
    records, problems = scan_cohort(request.folder, request.datalist, request.exclude, need_seg=not request.unlabelled)
    costs, found = _measure(records[:1] if request.headers_only else records)
    sections = _shortcuts(records)
    if costs:
        sections.append(f"Training cache\n{describe_cache(costs, len(records))}")
    there = describe_cohort(records) if records else ""
    return Checkup(there, [*problems, *found], FIRST if request.headers_only else ALL, sections)


def check_people(request: Request) -> Checkup:
    """One volume of each person, some of them healthy; heads need brain masks."""
    records, problems = scan_cohort(
        request.folder,
        request.datalist,
        request.exclude,
        kind="people",
        healthy_dir=request.healthy,
        modalities=ONE_IMAGE,
        need_label=False,
    )
    found = _read_volumes(records[:1] if request.headers_only else records)
    there = describe_cohort(records, ONE_IMAGE) if records else ""
    return Checkup(there, [*problems, *found], FIRST if request.headers_only else ALL, _shortcuts(records))


def _shortcuts(records: Sequence[Record]) -> list[str]:
    return [probe_shortcuts(records, "grade").text()] if records else []


def _measure(records: Sequence[Record]) -> tuple[list[CaseCost], list[Problem]]:
    """Read the patients whole, with a progress bar: what each costs the cache, and what is wrong with it."""
    costs, problems = [], []
    for record in tqdm(records, desc="Reading voxels", unit="patient", disable=not records):
        cost, found = measure_case(record, MODALITIES)
        costs += [cost] if cost else []
        problems += found
    return costs, problems


def _read_volumes(records: Sequence[Record]) -> list[Problem]:
    """Read the images whole, with a progress bar: what is wrong with them, and which heads have no mask."""
    from common.cohorts.brains.hd_bet import find_hd_bet

    problems = []
    for record in tqdm(records, desc="Reading voxels", unit="person", disable=not records):
        problems += check_voxels(record, ONE_IMAGE)
    heads = [] if find_hd_bet() else unmasked_heads(records, ONE_IMAGE)
    return [*problems, *([no_brain_problem(heads)] if heads else [])]
