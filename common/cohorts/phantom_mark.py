"""The mark in the header of each image that shows that it is a phantom and not a patient."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.formats.dicom.files import read_mark
from common.formats.folders import list_folder
from common.formats.images import is_image_name, read_comment
from common.formats.volumes import read_volume_header
from common.records import MODALITIES

MARK = "phantom, not a patient"


def is_phantom(record: Mapping[str, Any]) -> bool:
    """Whether a patient's images carry the phantoms' mark in their header: NIfTI, single images or DICOM series."""
    path = next((record[key] for key in ("image", *MODALITIES, "seg") if record.get(key)), None)
    return path is not None and _is_marked(path)


def _is_marked(address: str) -> bool:
    path = Path(address)
    if path.is_dir():
        files = [file for file in list_folder(path) if file.is_file()]
        return bool(files) and _is_marked(str(files[0]))
    if is_image_name(path):
        return read_comment(path) == MARK
    if path.suffix.lower() == ".dcm":
        return read_mark(path, MARK)
    return bytes(read_volume_header(address).header["descrip"].item()).startswith(MARK.encode())
