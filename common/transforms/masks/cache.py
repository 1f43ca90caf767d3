"""Tumour masks in the cache: the tumour's box, without reading an image."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.files import write_json
from common.formats.voxel_hashes import hash_each
from common.records import Record, without_key
from common.transforms.cases import Case, count_tumour, entry_name, prepare_each, tumour_millilitres
from common.transforms.preparation import prepare_mask
from common.transforms.reading import mask_settings

MASKS_VERSION = 2
"""Raise it when prepared masks change in a way that the other parts of the key do not show."""


def prepare_masks(
    records: Iterable[Record], cache_dir: str | os.PathLike[str] | None = None, workers: int | None = None
) -> list[Case]:
    """Prepare the mask of every patient that the cache does not hold yet; no image is read.

    Args:
        records: the patients.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        workers: threads; by default one per core, four at most.

    Returns:
        Each record with ``cached`` (``None``), ``cached_mask`` (path of the tumour's box), ``geometry`` (the tumour's
        box), ``tumour_voxels`` (NCR, ED and ET voxels for each axial slice of the whole volume), ``tumour_ml`` and
        ``voxel_hashes`` (of the tumour's box of class indices).

    Raises:
        DatasetError: everything that is wrong with any of the masks, one that is missing or empty too, in one error.
        OutputError: the cache cannot be written.
    """
    return prepare_each(records, _cached_mask, cache_dir, workers)


def _cached_mask(record: Record, folder: Path) -> Case:
    values = mask_settings(record)
    mask_only = without_key(record, "image")
    entry = folder / entry_name("masks", mask_only, (), [MASKS_VERSION, values])
    content = open_entry(entry, ["mask.npy"], lambda: _store_mask(record, entry))
    return {
        **record,
        "cached": None,
        "cached_mask": str(entry / "mask.npy"),
        "geometry": content["geometry"],
        "voxel_hashes": content["voxel_hashes"],
        "tumour_voxels": content["tumour_voxels"],
        "tumour_ml": tumour_millilitres(content["tumour_voxels"], content["geometry"]["spacing"]),
    }


def _store_mask(record: Record, entry: Path) -> None:
    classes, geometry = prepare_mask(record)
    save_array(entry / "mask.npy", classes)
    content = {"geometry": geometry.to_dict(), "tumour_voxels": count_tumour(classes, geometry)}
    write_json(entry / DESCRIPTION, {**content, "voxel_hashes": hash_each({"seg": classes})})
