"""Whole cases in the cache: the brain's box of every modality with its mask, or the mask alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.files import write_json
from common.records import MODALITIES, Record
from common.transforms.cases import Case, entry_name, prepare_each, tumour_millilitres
from common.transforms.geometry import BrainGeometry
from common.transforms.intensity import CLIP_PERCENTILES
from common.transforms.preparation import prepare_case, prepare_mask

PREPARATION_VERSION = 1
"""Raise it when prepared cases change in a way that the key's other parts do not tell."""


def prepare_cases(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    workers: int | None = None,
) -> list[Case]:
    """Prepare every patient that the cache does not hold yet, as whole volumes.

    Args:
        records: the patients.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        modalities: in the order of the channels; none of them to prepare the masks alone, without reading an image.
        workers: threads; by default one a core, four at most.

    Returns:
        Each record with ``cached`` (path of its prepared slices, ``None`` for masks alone), ``cached_mask`` (path or
        ``None``), ``geometry`` (the brain's box, for masks alone the tumour's), ``tumour_voxels`` (NCR, ED and ET
        voxels for each axial slice of the whole volume) and ``tumour_ml`` (``None`` without a mask).

    Raises:
        DatasetError: everything that is wrong with any of the patients, in one error; for masks alone also a mask
            that is missing or empty.
        OutputError: the cache cannot be written.
    """
    prepare = partial(_cached_case, modalities=modalities) if modalities else _cached_mask
    return prepare_each(records, prepare, cache_dir, workers)


def count_tumour(classes: np.ndarray, geometry: BrainGeometry) -> list[list[int]]:
    """NCR, ED and ET voxels for each axial slice of the whole volume, from class indices (z, y, x) of the box."""
    counts = np.zeros((geometry.shape[2], 3), dtype=int)
    counts[geometry.box[2]] = [[int((plane == index).sum()) for index in (1, 2, 3)] for plane in classes]
    return counts.tolist()


def _cached_case(record: Record, folder: Path, modalities: Sequence[str]) -> Case:
    values = list(record.get("mask_values") or ())
    settings = [PREPARATION_VERSION, list(modalities), CLIP_PERCENTILES, values]
    entry = folder / entry_name("case", record, modalities, settings)
    has_mask = bool(record.get("seg"))
    arrays = ["slices.npy", "mask.npy"] if has_mask else ["slices.npy"]
    content = open_entry(entry, arrays, lambda: _store_case(record, entry, modalities))
    voxels = content["tumour_voxels"]
    return {
        **record,
        "cached": str(entry / "slices.npy"),
        "cached_mask": str(entry / "mask.npy") if has_mask else None,
        "geometry": content["geometry"],
        "tumour_voxels": voxels,
        "tumour_ml": tumour_millilitres(voxels, content["geometry"]["spacing"]) if has_mask else None,
    }


def _store_case(record: Record, entry: Path, modalities: Sequence[str]) -> None:
    case = prepare_case(record, modalities)
    counts = [[0, 0, 0]] * case.geometry.shape[2]
    if case.classes is not None:
        counts = count_tumour(case.classes, case.geometry)
        save_array(entry / "mask.npy", case.classes)
    save_array(entry / "slices.npy", case.image)
    write_json(
        entry / DESCRIPTION,
        {"geometry": case.geometry.to_dict(), "has_mask": case.classes is not None, "tumour_voxels": counts},
    )


def _cached_mask(record: Record, folder: Path) -> Case:
    values = list(record.get("mask_values") or ())
    mask_only = {**record, "image": None}
    entry = folder / entry_name("masks", mask_only, (), [PREPARATION_VERSION, values])
    content = open_entry(entry, ["mask.npy"], lambda: _store_mask(record, entry))
    return {
        **record,
        "cached": None,
        "cached_mask": str(entry / "mask.npy"),
        "geometry": content["geometry"],
        "tumour_voxels": content["tumour_voxels"],
        "tumour_ml": tumour_millilitres(content["tumour_voxels"], content["geometry"]["spacing"]),
    }


def _store_mask(record: Record, entry: Path) -> None:
    classes, geometry = prepare_mask(record)
    save_array(entry / "mask.npy", classes)
    write_json(entry / DESCRIPTION, {"geometry": geometry.to_dict(), "tumour_voxels": count_tumour(classes, geometry)})
