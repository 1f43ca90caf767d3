"""A patient's modalities from their files, for every view of a volume."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import MapTransform

from common.cohorts.datasets.siblings import expected_siblings, find_siblings
from common.errors import DatasetError, Problem
from common.formats.volumes import read_volume_header
from common.records import MODALITIES, Record, value_of
from common.transforms.reading import read_case
from common.transforms.requests import is_loaded, read_request
from common.transforms.shared_items import Item

CHANNEL_FIRST = {"original_channel_dim": 0}
"""Tells MONAI's ``EnsureChannelFirstd`` that there is nothing to do."""


class LoadImageModalitiesd(MapTransform):
    """Read a patient's modalities into ``image``, a MetaTensor (channel, x, y, z) as stored.

    An item has a file under each modality, or under ``image``: one with all of them as channels, the only one that
    the network reads, or one of several that lie beside it (see :mod:`common.cohorts.datasets.siblings`).
    MONAI Deploy leaves out what has ``LoadImage`` in its name; an image that another loader has read stays.

    Args:
        modalities: keys of the files, in the order of the channels.
        missing_modality: ``error``, or ``zero`` to go on without an absent one.

    Raises:
        DatasetError: everything that is wrong with the patient's files, in one error.
    """

    def __init__(self, modalities: Sequence[str] = MODALITIES, missing_modality: str = "error") -> None:
        super().__init__("image", allow_missing_keys=True)
        self.modalities, self.missing_modality = tuple(modalities), missing_modality

    def __call__(self, data: Mapping[Hashable, Any]) -> Item:
        item = read_request(data)
        if not is_loaded(item):
            item["image"] = self._read(item)
        return item

    def _read(self, item: Item) -> MetaTensor:
        record = cast(Record, {str(key): value for key, value in item.items()})
        if path := record.get("image"):
            record = {**record, **files_of(str(path), self.modalities, self.missing_modality)}
        volumes = read_case(record, self.modalities, self.missing_modality)
        file = path or next(value_of(record, key) for key in self.modalities if record.get(key))
        first = next(iter(volumes.values()))
        stack = np.stack([volume.array for volume in volumes.values()])
        meta = {"affine": torch.from_numpy(first.affine), "filename_or_obj": str(file), **CHANNEL_FIRST}
        return MetaTensor(torch.from_numpy(stack), meta=meta)


def files_of(path: str, modalities: Sequence[str], missing_modality: str = "error") -> Record:
    """Where the modalities of a patient are of whom a program names one file.

    Args:
        path: of the file.
        modalities: of the network.
        missing_modality: as for :class:`LoadImageModalitiesd`.

    Returns:
        ``image`` for a file with channels; for a single volume the modalities, and ``image`` as ``None``.

    Raises:
        DatasetError: a single volume is not enough, and the others are not beside it.
    """
    if len(read_volume_header(path).shape) != 3:
        return {"image": path}
    names = dict(expected_siblings(path))
    if not names and len(modalities) == 1:
        return cast(Record, {"image": None, modalities[0]: path})
    if not names:
        what = f"it is one volume, its name tells no modality, and the network reads {', '.join(modalities)}"
        hint = "Name the files of a patient p01_flair.nii.gz, p01_t1.nii.gz, …, or give one file with all channels."
        raise DatasetError(Problem(what, path, hint))
    found = find_siblings(path)
    absent = [key for key in modalities if key not in found]
    if absent and (missing_modality != "zero" or len(absent) == len(modalities)):
        raise DatasetError(
            Problem(f"modality {key} is not beside it", path, f"Put {names[key][0]}.nii.gz there.") for key in absent
        )
    return cast(Record, {"image": None, **{key: found[key] for key in modalities if key in found}})
