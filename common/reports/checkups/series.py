"""What a person should know of patients with series of slices: which series, planes, gaps and labels there are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import cast

from tqdm import tqdm

from common.cohorts.datasets.registry import source_name
from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import scan_cohort
from common.errors import DatasetError, Problem
from common.formats.series import SliceFiles, list_slices
from common.records import MODALITIES, Record, value_of
from common.reports.checkups.cohort import CaseCost, describe_cache
from common.reports.checkups.lines import align, count_kinds, span
from common.reports.checkups.volumes import Checkup, Request
from common.shortcuts.probe import probe_shortcuts
from common.transforms.series.plan import SeriesPlan, take_series

READERS = 4
STATUS = {0: "unmethylated", 1: "methylated", None: "not recorded"}
TARGET = "MGMT status"
PLAN = SeriesPlan(MODALITIES, count=16, share=0.6, size=(224, 224))
"""What training takes of a patient, were it to use all series."""


@dataclass(frozen=True)
class Look:
    """What was found in a patient's series.

    Args:
        series: by modality; only those that can be read.
        problems: of the others.
        cost: to prepare them; ``None`` where that was not tried, or failed.
    """

    series: Mapping[str, SliceFiles]
    problems: Sequence[Problem]
    cost: CaseCost | None = None


def check_series(request: Request) -> Checkup:
    """Patients with series: what is there, what is wrong, what predicts the MGMT status, and the size of the cache."""
    records, problems = scan_cohort(
        request.folder,
        request.datalist,
        request.exclude,
        kind="series",
        need_label=not request.unlabelled,
        need_all=False,
    )
    decoded = 1 if request.headers_only else len(records)
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(look_at_series, records, [number < decoded for number in range(len(records))])
        looks = list(tqdm(found, total=len(records), desc="Reading series", unit="patient", disable=not records))
    sound = [(record, look) for record, look in zip(records, looks, strict=True) if not look.problems]
    problems += [problem for look in looks for problem in look.problems]
    read = f"headers of all slices and pixels of {'the first patient' if request.headers_only else 'all patients'}"
    if not sound:
        return Checkup("", problems, read)
    sections = [probe_shortcuts([_traced(*pair) for pair in sound], TARGET).text()]
    costs = [look.cost for _, look in sound if look.cost]
    if costs:
        taken = f"all series, {PLAN.count} slices of {' x '.join(map(str, PLAN.size))} pixels"
        sections.append(f"Training cache ({taken})\n{describe_cache(costs, len(sound))}")
    return Checkup(describe_series(*zip(*sound, strict=True)), problems, read, sections)


def look_at_series(record: Record, decode: bool) -> Look:
    """Read the headers of a patient's series, and the pixels that training would take.

    Args:
        record: with the folder of a series under each modality that it has.
        decode: whether pixels are read.
    """
    folders = {name: str(value_of(record, name)) for name in MODALITIES if record.get(name)}
    series: dict[str, SliceFiles] = {}
    problems: list[Problem] = []
    for name, folder in folders.items():
        try:
            series[name] = list_slices(folder)
        except DatasetError as error:
            problems += error.problems
    if problems or not decode:
        return Look(series, problems)
    start = time.perf_counter()
    try:
        taken, _ = take_series(folders, record["subject"], PLAN)
    except DatasetError as error:
        return Look(series, error.problems)
    return Look(series, (), CaseCost(time.perf_counter() - start, taken.nbytes))


def describe_series(records: Sequence[Record], looks: Sequence[Look]) -> str:
    """Who is there, one line per fact.

    Args:
        records: a patient each.
        looks: at each of them.
    """
    phantoms = sum(map(is_phantom, records))
    complete = sum(len(look.series) == len(MODALITIES) for look in looks)
    every = [series for look in looks for series in look.series.values()]
    lines = {
        "patients": f"{len(records)} ({count_kinds(source_name(record['source']) for record in records)})"
        + (f"; {phantoms} are phantoms, no patients" if phantoms else ""),
        TARGET: count_kinds(STATUS[record["mgmt"]] for record in records),
        "series": f"all of {', '.join(MODALITIES)}: {complete} of {len(records)} patients",
        "stored as": count_kinds("DICOM" if series.is_dicom else "images" for series in every),
    }
    for name in MODALITIES:
        found = [look.series[name] for look in looks if name in look.series]
        if found:
            planes = count_kinds(series.plane or "of an unknown plane" for series in found)
            lines[name] = f"{planes}; {span(len(series.files) for series in found)} slices"
    return align({**lines, "slice gaps": _tell_missing(looks)})


def _tell_missing(looks: Sequence[Look]) -> str:
    """Slices that are lacking between others."""
    gapped = [[series.missing for series in look.series.values() if series.missing] for look in looks]
    gaps = [missing for found in gapped for missing in found]
    if not gaps:
        return "none"
    patients = sum(bool(found) for found in gapped)
    return f"{len(gaps)} series of {patients} patient{'s' * (patients > 1)}, {span(gaps)} missing in each"


def _traced(record: Record, look: Look) -> Record:
    """With what the probe looks at."""
    planes = {name: series.plane for name, series in look.series.items()}
    status = None if record["mgmt"] is None else STATUS[record["mgmt"]]
    return cast(Record, {**record, "planes": planes, TARGET: status})
