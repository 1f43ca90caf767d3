"""Whole volumes at the working size in the cache, so that an epoch neither decodes nor resamples one again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import cast

from common.cache_folder import DESCRIPTION, default_cache_dir, open_entry, save_array
from common.cohorts.brains.extraction import add_brain_masks
from common.files import write_json
from common.formats.volumes import volume_stamp
from common.formats.voxel_hashes import hash_each
from common.records import Record, scan_of
from common.transforms.cases import Case, entry_name, logger, prepare_each, tumour_millilitres
from common.transforms.intensity import UNIT_PERCENTILES
from common.transforms.reading import count_tumour_voxels, mask_settings, read_checked
from common.transforms.volumes.plan import SIZE, SPACING, VolumePlan, take_volume

VOLUME_VERSION = 2
"""Raise it when prepared volumes change in a way that the other parts of the key do not show."""

ARRAY = "volume.npy"


def prepare_volumes(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = ("t1ce",),
    size: Sequence[int] = SIZE,
    spacing: float = SPACING,
    brain_extraction: str = "auto",
    workers: int | None = None,
) -> list[Case]:
    """Prepare the brain of every patient that the cache does not hold yet (P4).

    Args:
        records: the patients, with ``brain_mask`` (a path) where there is one.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        modalities: in the order of the channels.
        size: voxels along x, y and z in LPS, around the middle of the brain; voxels outside are cut off.
        spacing: mm between voxels.
        brain_extraction: where the brain is in a whole head; see :func:`~common.cohorts.add_brain_masks`.
        workers: threads; by default one per core, four at most.

    Returns:
        Each record with ``brain_mask`` where one was needed, ``cached`` (path of the volume, float16 (channel, x, y, z)
        in LPS, the brain from 0 to 1 and all else 0), ``modalities``, ``geometry`` (of
        :class:`~common.transforms.volumes.grid.ResampledGrid`), ``tumour_ml`` (``None`` without a mask of the
        tumour) and ``voxel_hashes``.

    Raises:
        KnobError: a setting has no meaning.
        DatasetError: all heads without a mask, or everything that is wrong with any of the patients, in one error.
        OutputError: the cache cannot be written.
    """
    plan = VolumePlan.read(size, spacing)
    records = add_brain_masks(list(records), cache_dir or default_cache_dir(), modalities, brain_extraction)
    prepare = partial(_cached_volume, modalities=tuple(modalities), plan=plan)
    cases = prepare_each(records, prepare, cache_dir, workers, axes=0)
    cut = sum(case.pop("brain_is_cut") for case in cases)
    if cut:
        reach = f"--volume_size {list(plan.size)} at {plan.spacing:g} mm"
        logger.warning("%d of %d brains are larger than %s and are cut", cut, len(cases), reach)
    return cases


def _cached_volume(record: Record, folder: Path, modalities: Sequence[str], plan: VolumePlan) -> Case:
    mask = record.get("brain_mask")
    values = mask_settings(record)
    stamp = volume_stamp(mask) if mask else None
    settings = [VOLUME_VERSION, list(modalities), astuple(plan), UNIT_PERCENTILES, values, stamp]
    entry = folder / entry_name("volume", record, modalities, settings)
    content = open_entry(entry, [ARRAY], lambda: _store_volume(record, entry, modalities, plan))
    return {**record, "cached": str(entry / ARRAY), "modalities": list(modalities), **cast(Case, content)}


def _store_volume(record: Record, entry: Path, modalities: Sequence[str], plan: VolumePlan) -> None:
    images, mask, affine = read_checked(record, modalities)
    volume, grid = take_volume(images, affine, record.get("brain_mask"), plan, scan_of(record))
    save_array(entry / ARRAY, volume)
    tumour_ml = None if mask is None else tumour_millilitres(count_tumour_voxels(mask, record), grid.brain.spacing)
    hashes = hash_each(dict(zip(modalities, images, strict=True)), affine)
    content = {"geometry": grid.to_dict(), "tumour_ml": tumour_ml, "brain_is_cut": grid.cut, "voxel_hashes": hashes}
    write_json(entry / DESCRIPTION, content)
