"""The mark in the header of each image that shows that it is a phantom and not a patient."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.formats.dicom.files import is_dicom, read_mark
from common.formats.folders import list_folder
from common.formats.images import is_image_name, read_comment
from common.formats.volumes import read_volume_header
from common.records import MODALITIES

MARK = "phantom, not a patient"


def is_phantom(record: Mapping[str, Any]) -> bool:
    """Whether a patient's images carry the phantoms' mark in their header: NIfTI, single images or DICOM series."""
    address = next((record[key] for key in ("image", *MODALITIES, "seg") if record.get(key)), None)
    if address is None:
        return False
    path = Path(address)
    if path.is_dir():
        files = (file for file in list_folder(path) if file.is_file() and file.name.upper() != "DICOMDIR")
        first = next((file for file in files if is_image_name(file) or is_dicom(file)), None)
        return first is not None and _is_marked(first, str(first))
    return _is_marked(path, address)


def _is_marked(path: Path, address: str) -> bool:
    if is_image_name(path):
        return read_comment(path) == MARK
    if path.is_file() and is_dicom(path):
        return read_mark(path, MARK)
    return bytes(read_volume_header(address).header["descrip"].item()).startswith(MARK.encode())
