"""How phantoms are told from patients: by a mark in the header of each image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from common.cohorts.records import MODALITIES
from common.cohorts.volumes import read_volume_header

MARK = "phantom, not a patient"


def is_phantom(record: Mapping[str, Any]) -> bool:
    """Whether a patient's images carry the phantoms' mark in their header."""
    path = next((record[key] for key in ("image", *MODALITIES, "seg") if record.get(key)), None)
    return path is not None and bytes(read_volume_header(path).header["descrip"].item()).startswith(MARK.encode())
