"""Checks patients with series of slices: series, planes, gaps and labels."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

from tqdm import tqdm

from common.cohorts.datasets.registry import source_name, tell_terms
from common.cohorts.phantom_mark import is_phantom
from common.cohorts.reading import scan_cohort
from common.copies.same_scans import compare_scans
from common.errors import DatasetError, Problem
from common.formats.series import SliceFiles, list_slices
from common.formats.voxel_hashes import VoxelHashes
from common.names import describe_similar_names
from common.records import MODALITIES, Record, value_of
from common.reports.checkups.cohort import CaseCost, describe_cache
from common.reports.checkups.lines import align, count_kinds, span
from common.reports.checkups.volumes import Checkup, Request, doubt_sections
from common.shortcuts.probe import probe_shortcuts
from common.tasks.mgmt import TASK as MGMT
from common.transforms.series.plan import SeriesPlan, take_series

READERS = 4
STATUS: Mapping[int | None, str] = {None: "not recorded", **dict(enumerate(MGMT.classes))}
TARGET = MGMT.asked.removeprefix("the ")
PLAN = SeriesPlan(MODALITIES, count=16, share=0.6, size=(224, 224))
"""What training takes of a patient when it uses all series."""


@dataclass(frozen=True)
class Inspection:
    """What was found in a patient's series.

    Args:
        series: by modality; only those that can be read.
        problems: of the others.
        cost: of preparing them; ``None`` where that was not tried, or failed.
        voxel_hashes: by modality, where there is a cost.
    """

    series: Mapping[str, SliceFiles]
    problems: Sequence[Problem]
    cost: CaseCost | None = None
    voxel_hashes: Mapping[str, VoxelHashes] = field(default_factory=dict)


def check_series(request: Request) -> Checkup:
    """Check patients with series: their data, problems, what predicts the MGMT status, and the size of the cache."""
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
        found = pool.map(inspect_series, records, [number < decoded for number in range(len(records))])
        inspections = list(tqdm(found, total=len(records), desc="Reading series", unit="patient", disable=not records))
    sound = [
        (record, inspection) for record, inspection in zip(records, inspections, strict=True) if not inspection.problems
    ]
    same = compare_scans([{**record, "voxel_hashes": inspection.voxel_hashes} for record, inspection in sound])
    problems += [*(problem for inspection in inspections for problem in inspection.problems), *same.problems]
    read = f"headers of all slices and pixels of {'the first patient' if request.headers_only else 'all patients'}"
    if not sound:
        return Checkup("", problems, read)
    sections = [*doubt_sections(same.warnings), probe_shortcuts([_with_traits(*pair) for pair in sound], TARGET).text()]
    costs = [inspection.cost for _, inspection in sound if inspection.cost]
    if costs:
        taken = f"all series, {PLAN.count} slices of {' x '.join(map(str, PLAN.size))} pixels"
        sections.append(f"Training cache ({taken})\n{describe_cache(costs, len(sound))}")
    return Checkup(describe_series(*zip(*sound, strict=True)), problems, read, sections)


def inspect_series(record: Record, decode: bool) -> Inspection:
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
        return Inspection(series, problems)
    start = time.perf_counter()
    try:
        taken, content = take_series(folders, record["subject"], PLAN)
    except DatasetError as error:
        return Inspection(series, error.problems)
    return Inspection(series, (), CaseCost(time.perf_counter() - start, taken.nbytes), content["voxel_hashes"])


def describe_series(records: Sequence[Record], inspections: Sequence[Inspection]) -> str:
    """The patients and their series, one line per fact.

    Args:
        records: one per patient.
        inspections: one per patient.
    """
    phantoms = sum(map(is_phantom, records))
    complete = sum(len(inspection.series) == len(MODALITIES) for inspection in inspections)
    every = [series for inspection in inspections for series in inspection.series.values()]
    lines = {
        "patients": f"{len(records)} ({count_kinds(source_name(record['source']) for record in records)})"
        + (f"; {phantoms} are phantoms, no patients" if phantoms else ""),
        TARGET: count_kinds(STATUS[record["mgmt"]] for record in records),
        "series": f"all of {', '.join(MODALITIES)}: {complete} of {len(records)} patients",
        "stored as": count_kinds("DICOM" if series.is_dicom else "images" for series in every),
    }
    for name in MODALITIES:
        found = [inspection.series[name] for inspection in inspections if name in inspection.series]
        if found:
            planes = count_kinds(series.plane or "of an unknown plane" for series in found)
            lines[name] = f"{planes}; {span(len(series.files) for series in found)} slices"
    where_known = {
        "names alike": describe_similar_names(records),
        "terms": tell_terms(record["source"] for record in records),
    }
    told = {name: text for name, text in where_known.items() if text}
    return align({**lines, "slice gaps": _describe_gaps(inspections), **told})


def _describe_gaps(inspections: Sequence[Inspection]) -> str:
    """Slices that are missing between others."""
    gapped = [[series.missing for series in inspection.series.values() if series.missing] for inspection in inspections]
    gaps = [missing for found in gapped for missing in found]
    if not gaps:
        return "none"
    patients = sum(bool(found) for found in gapped)
    return f"{len(gaps)} series of {patients} patient{'s' * (patients > 1)}, {span(gaps)} missing in each"


def _with_traits(record: Record, inspection: Inspection) -> Record:
    """A record with the traits that the probe asks for."""
    planes = {name: series.plane for name, series in inspection.series.items()}
    status = None if record["mgmt"] is None else STATUS[record["mgmt"]]
    return cast(Record, {**record, "planes": planes, TARGET: status})
