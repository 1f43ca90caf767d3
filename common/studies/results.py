"""What the DICOM objects made from a study have in common, and how they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import __version__
from common.files import atomic_path
from common.studies.quiet import quiet

if TYPE_CHECKING:
    from pydicom import Dataset

MANUFACTURER = "Glioma bundles"
RESEARCH_USE = "For research use only."
SERIES_NUMBER = 9001
OWN_CODES = "99GLIOMA"
"""The scheme of codes for what no public scheme has."""


@dataclass(frozen=True)
class Origin:
    """What made a result.

    Args:
        bundle: its name.
        version: of the bundle.
        weights: a hash of the weights, to tell trainings apart.
        task: what the bundle does, in one sentence.
        intended_use: what it may be used for.
        requirements: what its input must be, in one sentence.
    """

    bundle: str
    version: str
    weights: str
    task: str
    intended_use: str
    requirements: str

    @property
    def uid(self) -> str:
        """A DICOM UID of the bundle with these weights, as PS3.5 B.2 makes them from numbers of 128 bits."""
        return f"2.25.{int(self.weights[:30], 16)}"


def common_elements(origin: Origin, description: str) -> dict[str, Any]:
    """Arguments of highdicom's objects that do not depend on their kind.

    Args:
        origin: what made the result.
        description: of the series.

    Returns:
        By name; each call has new UIDs.
    """
    from highdicom import UID

    return {
        "series_instance_uid": UID(),
        "series_number": SERIES_NUMBER,
        "series_description": f"{description}, research use only",
        "sop_instance_uid": UID(),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": origin.bundle,
        "software_versions": (__version__, origin.version),
        "device_serial_number": origin.weights[:16],
    }


def write_result(folder: str | Path, result: Dataset) -> Path:
    """Write a DICOM object as ``<SOP instance UID>.dcm``.

    Raises:
        OutputError: the file cannot be written.
    """
    path = Path(folder) / f"{result.SOPInstanceUID}.dcm"
    with quiet(), atomic_path(path) as temporary:
        result.save_as(temporary, enforce_file_format=True)
    return path


def all_headers(series: Sequence[Any]) -> list[Dataset]:
    """The headers of several series, one after the other."""
    return [header for one in series for header in one.headers]
