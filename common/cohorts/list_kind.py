"""What kind of samples a list of one's own names: its columns and the paths in it tell."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from common.cohorts.datalist import read_json_list
from common.errors import DatasetError
from common.files import is_folder, user_path
from common.formats.images import is_image_name
from common.formats.tables import as_text, listed_path, read_table
from common.records import MODALITIES

NAMES = {"mgmt_value": "mgmt", "path": "image", "file": "image", "label": "label"}


def find_list_kind(path: str | os.PathLike[str]) -> str:
    """``images``, ``series`` or ``volumes``; the last of a list that cannot be read, whose reader tells why.

    A list names series where a path under a modality is a folder, or where it has MGMT values and no masks; images
    where what stands under ``image`` is named as an image.
    """
    path = user_path(path)
    try:
        entries = list(_entries(path))
    except (DatasetError, OSError):
        return "volumes"
    keys = {key for entry in entries for key, value in entry.items() if as_text(value)}
    if keys.isdisjoint(MODALITIES):
        images = [Path(as_text(entry.get("image"))) for entry in entries if isinstance(entry.get("image"), str)]
        return "images" if any(map(is_image_name, images)) else "volumes"
    folders = (listed_path(path.parent, as_text(entry.get(name))) for entry in entries for name in MODALITIES)
    if any(folder != path.parent and is_folder(folder) for folder in folders):
        return "series"
    has_masks = not keys.isdisjoint({"seg", "label"})
    return "series" if "mgmt" in keys and not has_masks and not _name_volumes(entries) else "volumes"


def _name_volumes(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Whether paths under modalities are named as NIfTI files."""
    return any(".nii" in as_text(entry.get(name)).lower() for entry in entries for name in MODALITIES)


def _entries(path: Path) -> Iterable[Mapping[str, Any]]:
    if path.suffix.lower() == ".json":
        return read_json_list(path, NAMES).values()
    return [row for _, row in read_table(path, NAMES).rows]
