"""Files whose headers leave open where left and right are: told, since every program then decides for itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import nibabel as nib

from common.cohorts.checks import READERS, list_files
from common.errors import DatasetError
from common.formats.nifti import conflict_of_forms
from common.formats.volumes import read_volume_header
from common.records import MODALITIES, Record, scan_of, value_of

MOST_LISTED = 3

logger = logging.getLogger(__name__)


def warn_of_orientations(records: Sequence[Record], modalities: Sequence[str] = MODALITIES) -> None:
    """Tell, in one warning, whose first image has a header that leaves its orientation open."""
    with ThreadPoolExecutor(READERS) as pool:
        headers = pool.map(lambda record: _header_of(record, modalities), records)
        named = zip(map(scan_of, records), headers, strict=True)
        told = describe_orientations({scan: header for scan, header in named if header is not None})
    if told:
        logger.warning(
            "Left and right are uncertain: %s. The sform is used where there is one, else the qform, else x is taken "
            "to grow to the left; look at one result beside its image in your viewer.",
            told,
        )


def describe_orientations(headers: Mapping[str, nib.Nifti1Image]) -> str:
    """Which scans have such headers, in a few words; empty where there are none."""
    conflicts = {scan: conflict for scan, image in headers.items() if (conflict := conflict_of_forms(image.header))}
    told = "; ".join(f"{scan}: {conflict}" for scan, conflict in list(conflicts.items())[:MOST_LISTED])
    return told + (f"; and {len(conflicts) - MOST_LISTED} more scans" if len(conflicts) > MOST_LISTED else "")


def _header_of(record: Record, modalities: Sequence[str]) -> nib.Nifti1Image | None:
    """The first image's; ``None`` where it cannot be read, which is told elsewhere."""
    try:
        return read_volume_header(value_of(record, list_files(record, modalities)[0]))
    except DatasetError:
        return None
