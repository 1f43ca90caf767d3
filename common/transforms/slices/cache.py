"""A few slices of each case in the cache, so that an epoch never decodes a volume again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import cast

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.files import write_json
from common.formats.voxel_hashes import hash_each
from common.records import MODALITIES, Record, scan_of
from common.transforms.cases import Case, entry_name, prepare_each, tumour_millilitres
from common.transforms.intensity import CLIP_PERCENTILES
from common.transforms.reading import count_tumour_voxels, mask_settings, read_checked
from common.transforms.slices.plan import CLIP_RANGE, SlicePlan, take_slices

SLICES_VERSION = 2
"""Raise it when prepared slices change in a way that the other parts of the key do not show."""


def prepare_slices(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    gap: float = 30.0,
    centre: float = 0.0,
    count: int = 3,
    intensity: str = "z_score",
    orientation: str = "RAS",
    centre_of: str = "brain",
    workers: int | None = None,
) -> list[Case]:
    """Prepare the slices of every patient that the cache does not hold yet (P1, section 2.2).

    Args:
        records: the patients.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        modalities: in the order of the channels.
        gap: millimetres between neighbouring slices.
        centre: millimetres from the centre to the middle slice, upwards.
        count: how many slices.
        intensity: ``z_score`` or ``clip``.
        orientation: axes of the slices.
        centre_of: ``brain`` or ``volume``.
        workers: threads; by default one per core, four at most.

    The knobs are those of :class:`~common.transforms.slices.plan.SlicePlan`.

    Returns:
        Each record with ``cached`` (path of the whole slices, float16 (modality, slice, y, x)), ``modalities``,
        ``positions`` (the slices' indices along z), ``geometry`` (of the whole volume, in ``orientation``),
        ``spacing`` (mm along the axes of ``orientation``), ``tumour_ml`` (``None`` without a mask) and
        ``voxel_hashes``.

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: everything that is wrong with any of the patients, in one error; a slice outside the brain too.
        OutputError: the cache cannot be written.
    """
    plan = SlicePlan(gap, centre, count, intensity, orientation, centre_of)
    prepare = partial(_cached_slices, modalities=tuple(modalities), plan=plan)
    return prepare_each(records, prepare, cache_dir, workers, axes=2)


def _cached_slices(record: Record, folder: Path, modalities: Sequence[str], plan: SlicePlan) -> Case:
    values = mask_settings(record)
    scaling = CLIP_RANGE if plan.intensity == "clip" else CLIP_PERCENTILES
    settings = [SLICES_VERSION, list(modalities), astuple(plan), scaling, values]
    entry = folder / entry_name("slices", record, modalities, settings)
    content = open_entry(entry, ["slices.npy"], lambda: _store_slices(record, entry, modalities, plan))
    return {**record, "cached": str(entry / "slices.npy"), "modalities": list(modalities), **cast(Case, content)}


def _store_slices(record: Record, entry: Path, modalities: Sequence[str], plan: SlicePlan) -> None:
    images, mask, affine = read_checked(record, modalities)
    slices, positions, geometry = take_slices(images, affine, plan, scan_of(record))
    save_array(entry / "slices.npy", slices)
    tumour_ml = None if mask is None else tumour_millilitres(count_tumour_voxels(mask, record), geometry.spacing)
    content = {"geometry": geometry.to_dict(), "positions": positions, "spacing": list(geometry.spacing)}
    hashes = hash_each(dict(zip(modalities, images, strict=True)), affine)
    write_json(entry / DESCRIPTION, {**content, "tumour_ml": tumour_ml, "voxel_hashes": hashes})
