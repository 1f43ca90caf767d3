"""Items that no reader of ours has seen: a program such as MONAI Label hands over one image and what a client wrote."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from monai.data import MetaTensor

from common.cohorts.datasets.siblings import named_by_file
from common.errors import DatasetError, Problem
from common.names import name_problems
from common.records import MODALITIES
from common.transforms.shared_items import Item


def read_request(data: Mapping[Hashable, Any], folders: bool = False) -> Item:
    """A copy of an item that names its patient and reads no file but its ``image`` and those beside it.

    An item with files of its own under the modalities, as ours have, is left as it is.

    Args:
        data: the item; other keys are kept.
        folders: as for :func:`~common.names.name_problems`.

    Returns:
        With ``subject``: its own, or what the file's name tells.

    Raises:
        DatasetError: an id cannot name a file, or a client names a file that is not the image's.
    """
    item = cast(Item, dict(data))
    image = item.get("image")
    path = str(image) if isinstance(image, str | Path) else ""
    if path and not item.get("subject"):
        item["subject"] = named_by_file(path)["subject"]
    problems = name_problems(item, path or "the request", folders)
    if "image" in item:
        problems += _foreign_files(item, path)
    if problems:
        raise DatasetError(problems)
    return item


def is_loaded(item: Mapping[Any, Any]) -> bool:
    """Whether another program's loader has read the image."""
    return isinstance(item.get("image"), torch.Tensor)


def patient_of(item: Mapping[Any, Any]) -> str:
    """The patient's name for messages: the item's, or its image's file."""
    meta = getattr(item.get("image"), "meta", {})
    return str(item.get("scan") or item.get("subject") or meta.get("filename_or_obj", "the image"))


def meta_of_view(image: MetaTensor) -> dict[str, Any]:
    """An image's metadata for what is cut of it: without its shape, to which MONAI Label would resize the result."""
    return {key: value for key, value in image.meta.items() if key != "spatial_shape"}


def _foreign_files(item: Item, path: str) -> list[Problem]:
    where, hint = (
        path or "the request",
        "Name the image alone: its other modalities are found by their names beside it.",
    )
    problems = [Problem(f"a file of its own was given for {key}", where, hint) for key in MODALITIES if item.get(key)]
    mask = item.get("brain_mask")
    if mask and Path(str(mask)).resolve().parent != Path(path).resolve().parent:
        problems.append(Problem("its brain_mask lies in another folder", where, "Put the mask beside the image."))
    return problems
