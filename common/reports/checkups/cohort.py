"""Describes a cohort before training: the patients, and the size of the cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import mean, median
from typing import cast

import nibabel as nib
import numpy as np

from common.cohorts.brains.orientations import describe_orientations
from common.cohorts.checks import check_voxels, list_files
from common.cohorts.datasets.registry import source_name, tell_terms
from common.cohorts.phantom_mark import is_phantom
from common.errors import DatasetError, Problem
from common.formats.volumes import read_volume_header
from common.names import describe_similar_names
from common.records import MODALITIES, Record, scan_of
from common.reports.checkups.lines import align, count_kinds
from common.transforms.brain.image_doubts import doubts_of
from common.transforms.cases import Case, count_tumour, tumour_millilitres
from common.transforms.preparation import prepare_case


@dataclass(frozen=True)
class CaseCost:
    """The cost of one patient in the training cache.

    Args:
        seconds: to read, check, crop and normalise it in one thread.
        size: bytes of the prepared arrays.
    """

    seconds: float
    size: int


def describe_cohort(records: Sequence[Record], modalities: Sequence[str] = MODALITIES) -> str:
    """The patients and what was recorded of them, one line per fact; only headers are read."""
    with ThreadPoolExecutor() as pool:
        headers = list(pool.map(lambda record: read_volume_header(record[list_files(record, modalities)[0]]), records))
    total = len(records)
    patients = len({record["subject"] for record in records})
    who = str(total) if patients == total else f"{patients} with {total} scans, which are counted below"
    ages = [record["age"] for record in records if record["age"] is not None]
    times = [record["survival_days"] for record in records if record["survival_days"] is not None]
    alive = sum(record["alive"] for record in records)
    masks = sum("seg" in record for record in records)
    phantoms = sum(map(is_phantom, records))
    lines = {
        "patients": f"{who} ({count_kinds(source_name(record['source']) for record in records)})"
        + (f"; {phantoms} are phantoms, no patients" if phantoms else ""),
        "images": "one file of several channels" if "image" in records[0] else ", ".join(modalities),
        "masks": f"{masks} of {total}",
        "grade": count_kinds(record["grade"] or "not recorded" for record in records),
        "age": _range(ages, total, "years", 1),
        "survival": _range(times, total, "days", 0) + (f"; {alive} still alive (censored)" if alive else ""),
        "resection": count_kinds(record["resection"] or "not recorded" for record in records),
        "shape": count_kinds("x".join(map(str, header.shape[:3])) for header in headers),
        "spacing": count_kinds(_spacing(header) for header in headers),
        "orientation": count_kinds("".join(nib.orientations.aff2axcodes(header.affine)) for header in headers),
        "stored as": count_kinds(str(header.get_data_dtype()) for header in headers),
    }
    named = dict(zip(map(scan_of, records), headers, strict=True))
    where_known = {
        "names alike": describe_similar_names(records),
        "left, right": describe_orientations(named),
        "terms": tell_terms(record["source"] for record in records),
    }
    return align(lines | {name: told for name, told in where_known.items() if told})


def measure_case(
    record: Record, modalities: Sequence[str] = MODALITIES, clock: Callable[[], float] = time.perf_counter
) -> tuple[CaseCost | None, list[Problem], Case]:
    """Prepare a patient as training does.

    Args:
        record: the patient.
        modalities: in the order of the channels.
        clock: seconds, for tests.

    Returns:
        The cost (``None`` where the patient cannot be prepared), all problems, and the record; where there is a cost,
        with ``voxel_hashes`` and what is known of its images and its mask.
    """
    start = clock()
    try:
        case = prepare_case(record, modalities)
    except DatasetError as error:
        # Preparation stops at the first step that fails; later problems are reported as well.
        return None, list(dict.fromkeys((*error.problems, *check_voxels(record, modalities)))), cast(Case, record)
    seconds = clock() - start
    cost = CaseCost(seconds, case.image.nbytes + (0 if case.classes is None else case.classes.nbytes))
    found: Case = {"voxel_hashes": case.voxel_hashes, "mask_on_background": case.mask_on_background}
    found["image_doubts"] = doubts_of(case.image, modalities)
    if case.classes is not None:
        found["tumour_voxels"] = count_tumour(case.classes, case.geometry)
        found["tumour_ml"] = tumour_millilitres(np.count_nonzero(case.classes), case.geometry.spacing)
    return cost, [], {**record, **found}


def describe_cache(costs: Sequence[CaseCost], patients: int) -> str:
    """How large the training cache of all ``patients`` will be and how long it takes, from the ``costs`` of some."""
    size, seconds = mean(cost.size for cost in costs), mean(cost.seconds for cost in costs)
    basis = "one patient" if len(costs) == 1 else f"{len(costs)} patients"
    return align(
        {
            "size": f"{_bytes(size * patients)} for {patients} patients ({_bytes(size)} each)",
            "time": f"about {_duration(seconds * patients)} in one thread ({seconds:.2f} s each), once",
            "measured on": basis,
        }
    )


def _range(values: Sequence[float], total: int, unit: str, digits: int) -> str:
    if not values:
        return f"0 of {total}"
    lowest, middle, highest = (f"{value:.{digits}f}" for value in (min(values), median(values), max(values)))
    return f"{len(values)} of {total}: {lowest} to {highest} {unit}, median {middle}"


def _spacing(header: nib.Nifti1Image) -> str:
    return "x".join(f"{size:.3g}" for size in np.linalg.norm(header.affine[:3, :3], axis=0)) + " mm"


def _bytes(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} GB"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
