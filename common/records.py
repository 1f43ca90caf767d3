"""What every cohort reader returns: one plain dict per patient, or per scan where patients have several.

Keys: ``subject`` (the patient's id, the unit of every split), ``scan`` (where the data set names scans of a
patient; :func:`scan_of` is unique in a cohort), ``source`` (the data set), a path under each of :data:`MODALITIES`, the
mask's path under ``seg`` (absent where there is none), ``mask_values`` (the values that stand for NCR, ED and ET in
the mask, and for the resection cavity where that is a class), ``background_values`` (further values that count as
background), ``brain_mask`` (a path; only where images show more than the brain) and the clinical values ``grade``,
``age`` (years), ``survival_days``, ``alive`` (the survival time is censored) and ``resection`` (``GTR`` or ``STR``),
each ``None`` where it was not recorded. A path may also be an address in HDF5 slices; see
:mod:`common.formats.volumes`.

Single images have one path under ``image`` and ``label``, ``class_name`` and perhaps ``group`` (what splits must keep
together); patients with DICOM series have the folder of a series as path, ``mgmt`` (1 methylated, 0 not) and ``label``.

``original_size`` (pixels along x and y) and ``stored_as`` (format, colour, bits) tell how a single image is stored,
where its header was read. What was prepared has ``voxel_hashes``: by modality, the two of
:class:`~common.formats.voxel_hashes.VoxelHashes`.

No key starts with ``image_`` or ``label_``: MONAI and MONAI Label take such keys for metadata of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from common.errors import KnobError, Problem

MODALITIES = ("flair", "t1", "t1ce", "t2")
"""The order of the channels, everywhere."""

MASK_CLASSES = ("NCR", "ED", "ET")
"""The classes of a mask besides background, in the order of their indices from 1."""

CAVITY_CLASS = "RC"
"""The resection cavity, class 4 where a run makes it one."""

BRATS_MASK_VALUES = (1, 2, 4)
"""Necrotic and non-enhancing core, oedema, enhancing tumour, as BraTS 2018 to 2021 store them."""

BRATS_2023_MASK_VALUES = (1, 2, 3)
BRATS_2024_MASK_VALUES = (1, 2, 3, 4)
"""With the resection cavity."""

HEALTHY = "healthy"
"""The ``grade`` of a person without a tumour."""


class Record(TypedDict, total=False):
    """A patient, a scan or an image; a missing key means not known. See the docstring of the module."""

    subject: str
    scan: str
    source: str
    image: str
    flair: str
    t1: str
    t1ce: str
    t2: str
    seg: str | None
    mask_values: Sequence[int]
    background_values: Sequence[int]
    brain_mask: str
    grade: str | None
    age: float | None
    survival_days: float | None
    alive: bool
    resection: str | None
    survival_stratum: int
    invented: bool
    class_name: str | None
    group: str
    tumour: str
    mgmt: int | None
    label: int | None
    permuted: bool
    phantom: bool
    clinical: Sequence[float]
    planes: Mapping[str, str | None]
    original_size: Sequence[int]
    stored_as: Mapping[str, str]
    slices: Sequence[int]
    images: Sequence[int]
    voxel_hashes: Mapping[str, Sequence[str | None]]


def scan_of(record: Mapping[Any, Any]) -> str:
    """The unique name of a record, an item or a row of a table: of its scan, or of its subject if it has one scan."""
    return str(record.get("scan") or record["subject"])


def without_key(record: Record, key: str) -> Record:
    """A copy of the record that does not have ``key``."""
    return cast(Record, {name: value for name, value in record.items() if name != key})


def value_of(record: Mapping[str, Any], key: str) -> Any:
    """The value of a key that is known only at run time, such as a modality's name."""
    return record[key]


def check_modalities(modalities: Sequence[str]) -> None:
    """Refuse an empty choice of modalities, or an unknown one.

    Raises:
        KnobError: names what is unknown.
    """
    unknown = [name for name in modalities if name not in MODALITIES]
    if unknown or not modalities:
        what = f"{', '.join(unknown)} is no modality" if unknown else "no modality is chosen"
        raise KnobError(Problem(what, "--modalities", f"Name one or more of {', '.join(MODALITIES)}."))
