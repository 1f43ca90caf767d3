"""Traits: what is known of a patient without looking at the tumour.

File sizes are left out on purpose: how well a volume compresses depends on its content, the tumour included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from common.formats.channels import is_channel
from common.formats.hdf5_slices import is_hdf5
from common.formats.volumes import read_volume_header, volume_files
from common.records import MODALITIES, Record, value_of
from common.shortcuts.voxel_traits import VOXEL_TRAITS, voxel_traits

IMAGE_KEYS = (*MODALITIES, "image")
CLINICAL = {"age": "age", "survival_days": "survival", "resection": "the extent of resection"}
STORED_AS = {"colour": "the colour mode", "bits": "the bit depth", "format": "the file format"}
VOLUMES = (".nii", ".nii.gz")
SITE = re.compile(r"^brats1[89]_(?P<site>[a-z0-9]+)_|^ixi\d+-(?P<hospital>[a-z]+)-", re.IGNORECASE)
NONE = "none"
DATA_SET, MASK = "the data set", "whether there is a mask"

USE_ONE_SOURCE = "Report each data set or scanner on its own as well, or balance the classes within each."
DROP_CLINICAL = "Give the network no clinical values, or use this feature alone as the baseline to beat."
SAME_GRID = "Bring all images to one orientation, spacing and size, and report each data set on its own as well."
SAME_SCALE = "Scale all intensities alike, and report each data set on its own as well."
SAME_STORAGE = "Such classes come from different sources: report each source on its own as well."
NO_TUMOUR_NEEDED = (
    "This may be the scanner or the disease, but the tumour is not needed for it: it is the baseline to beat."
)

ADVICE = {
    **{f"whether {name} is recorded": DROP_CLINICAL for name in CLINICAL.values()},
    "which modalities are there": "Use only the modalities that are never missing.",
    MASK: "Take only cases with a mask, or only cases without.",
    DATA_SET: USE_ONE_SOURCE,
    "the site in the patient's id": USE_ONE_SOURCE,
    "the plane of the slices": "Report each plane on its own as well.",
    "the file extension": "Check that the classes were not stored by different tools.",
    "the size of the picture": "Report pictures of each size on their own as well.",
    **dict.fromkeys(STORED_AS.values(), SAME_STORAGE),
    "the shape": SAME_GRID,
    "the voxel spacing": SAME_GRID,
    "the orientation": SAME_GRID,
    "the number type on disk": SAME_SCALE,
    "the scale factor": SAME_SCALE,
    "how the brain was found": "Extract all brains by one tool.",
    **dict.fromkeys(VOXEL_TRAITS, NO_TUMOUR_NEEDED),
}
"""Every trait, in words, and what to do when it predicts the label."""

OF_PATIENTS = {MASK, *(f"whether {name} is recorded" for name in CLINICAL.values())}
"""Traits of patients alone. They separate patients from healthy volunteers without being a confounder."""


def find_traits(
    records: Sequence[Record], target: str, headers: bool = True, voxels: bool = False
) -> dict[str, pd.DataFrame]:
    """The traits of a cohort that differ between its patients.

    Args:
        records: the cohort, one row each.
        target: the label's key; whether it is recorded is not a trait.
        headers: read the headers of volumes; without it only the records themselves are used. Folders of DICOM
            files and pictures were read before, and the records hold what is known of them.
        voxels: measure the prepared volumes as well; see :func:`~common.shortcuts.voxel_traits.voxel_traits`.

    Returns:
        One table per trait, with text columns for categories and float columns for numbers.

    Raises:
        DatasetError: an image's header cannot be read.
    """
    traits = _from_records(records, target)
    traits |= _of_pictures(records)
    if headers:
        traits.update(_from_headers(records))
    if voxels:
        traits.update(voxel_traits(records))
    return {name: table for name, table in traits.items() if (table.nunique(dropna=False) > 1).any()}


def _from_records(records: Sequence[Record], target: str) -> dict[str, pd.DataFrame]:
    columns: dict[str, list[str]] = {
        f"whether {name} is recorded": [str(_is_recorded(record.get(key))) for record in records]
        for key, name in CLINICAL.items()
        if key != target
    }
    columns["which modalities are there"] = [" ".join(_images(record)) or NONE for record in records]
    columns[MASK] = [str(bool(record.get("seg"))) for record in records]
    columns[DATA_SET] = [str(record.get("source")) for record in records]
    columns["how the brain was found"] = [str(bool(record.get("brain_mask"))) for record in records]
    columns["the site in the patient's id"] = [_site(str(record["subject"])) for record in records]
    columns["the plane of the slices"] = [_join((record.get("planes") or {}).values()) for record in records]
    columns["the file extension"] = [_join(_extension(path) for path in _images(record).values()) for record in records]
    return {name: pd.DataFrame({name: values}) for name, values in columns.items()}


def _of_pictures(records: Sequence[Record]) -> dict[str, pd.DataFrame]:
    """A size counts as a number and as a kind: a source may have one size amid those of another."""
    sizes = [record.get("original_size") or (np.nan, np.nan) for record in records]
    kinds = [_join(["x".join(map(str, record.get("original_size") or ()))]) for record in records]
    traits = {"the size of the picture": pd.DataFrame(sizes, columns=["x", "y"], dtype=float).assign(kind=kinds)}
    for key, name in STORED_AS.items():
        found = [(record.get("stored_as") or {}).get(key, NONE) for record in records]
        traits[name] = pd.DataFrame({name: found})
    return traits


def _from_headers(records: Sequence[Record]) -> dict[str, pd.DataFrame]:
    rows = [[_header_of(path) for path in _images(record).values() if _is_volume(path)] for record in records]
    if not any(rows):
        return {}

    def texts(key: str) -> pd.Series:
        return pd.Series([_join(header[key] for header in row) for row in rows])

    def numbers(key: str) -> pd.DataFrame:
        return pd.DataFrame([row[0][key] if row else (np.nan,) * 3 for row in rows]).astype(float).add_prefix(key)

    return {
        "the shape": numbers("shape").assign(text=texts("shape")),
        "the voxel spacing": numbers("spacing").assign(text=texts("spacing")),
        "the orientation": pd.DataFrame({"text": texts("orientation")}),
        "the number type on disk": pd.DataFrame({"text": texts("dtype")}),
        "the scale factor": pd.DataFrame({"text": texts("scaled")}),
    }


def _header_of(path: str) -> dict[str, Any]:
    stamp = Path(path).stat().st_mtime_ns if Path(path).exists() else 0
    return _read_header_traits(path, stamp)


@lru_cache(maxsize=8192)
def _read_header_traits(path: str, stamp: int) -> dict[str, Any]:
    """The traits in one header; ``stamp`` makes a changed file be read again."""
    image = read_volume_header(path)
    stored: Any = image.dataobj  # nibabel moves the scale factor there from the header
    return {
        "shape": tuple(image.shape[:3]),
        "spacing": tuple(round(float(size), 3) for size in nib.affines.voxel_sizes(image.affine)),
        "orientation": "".join(nib.orientations.aff2axcodes(image.affine)),
        "dtype": str(image.header.get_data_dtype()),
        "scaled": (getattr(stored, "slope", 1.0), getattr(stored, "inter", 0.0)) != (1.0, 0.0),
    }


def _images(record: Record) -> dict[str, str]:
    return {key: str(value_of(record, key)) for key in IMAGE_KEYS if record.get(key)}


def _is_volume(path: str) -> bool:
    return is_hdf5(path) or is_channel(path) or path.lower().endswith(VOLUMES)


def _is_recorded(value: Any) -> bool:
    return value is not None and not pd.isna(value)


def _site(subject: str) -> str:
    """The site in the ids of BraTS 2018, BraTS 2019 and IXI: ``TCIA02`` of ``Brats18_TCIA02_135_1``."""
    found = SITE.match(subject)
    return (found["site"] or found["hospital"]).upper() if found else NONE


def _extension(path: str) -> str:
    if is_hdf5(path):
        return ".h5"
    (path,) = volume_files(path) if is_channel(path) else (path,)
    return "".join(Path(path).suffixes[-2:]).lower() if path.lower().endswith(".gz") else Path(path).suffix.lower()


def _join(values: Any) -> str:
    """The distinct values in words, e.g. of a patient's four modalities."""
    return " ".join(sorted({str(value) for value in values})) or NONE
