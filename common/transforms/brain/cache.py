"""Brains in the cache: the box of every modality with its mask."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.files import write_json
from common.records import MODALITIES, Record
from common.transforms.brain.mask_doubts import mask_doubts
from common.transforms.cases import Case, count_tumour, entry_name, prepare_each, tumour_millilitres
from common.transforms.intensity import CLIP_PERCENTILES
from common.transforms.preparation import check_standardisation, prepare_case
from common.transforms.reading import mask_settings

BRAINS_VERSION = 2
"""Raise it when prepared brains change in a way that the other parts of the key do not show."""

logger = logging.getLogger(__name__)


def prepare_brains(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    modalities: Sequence[str] = MODALITIES,
    workers: int | None = None,
    standardise_by: str = "volume",
) -> list[Case]:
    """Prepare every patient that the cache does not hold yet, as whole volumes.

    Args:
        records: the patients.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        modalities: in the order of the channels.
        workers: threads; by default one per core, four at most.
        standardise_by: as of :func:`~common.transforms.preparation.prepare_image`.

    Returns:
        Each record with ``cached`` (path of its prepared slices), ``cached_mask`` (path or ``None``), ``geometry`` (the
        brain's box), ``tumour_voxels`` (NCR, ED and ET voxels for each axial slice of the whole volume) and
        ``tumour_ml`` (``None`` without a mask), ``voxel_hashes`` and ``mask_on_background``; doubtful masks are told in
        the log.

    Raises:
        DatasetError: everything that is wrong with any of the patients, in one error.
        KnobError: there is no such way to standardise.
        OutputError: the cache cannot be written.
    """
    check_standardisation(standardise_by)
    prepare = partial(_cached_brain, modalities=tuple(modalities), standardise_by=standardise_by)
    cases = prepare_each(records, prepare, cache_dir, workers)
    for warning in mask_doubts(cases):
        logger.warning("%s", warning)
    return cases


def _cached_brain(record: Record, folder: Path, modalities: Sequence[str], standardise_by: str) -> Case:
    values = mask_settings(record)
    settings = [
        BRAINS_VERSION,
        list(modalities),
        CLIP_PERCENTILES if standardise_by == "volume" else standardise_by,
        values,
    ]
    entry = folder / entry_name("case", record, modalities, settings)
    has_mask = bool(record.get("seg"))
    arrays = ["slices.npy", "mask.npy"] if has_mask else ["slices.npy"]
    content = open_entry(entry, arrays, lambda: _store_brain(record, entry, modalities, standardise_by))
    voxels = content["tumour_voxels"]
    return {
        **record,
        "cached": str(entry / "slices.npy"),
        "cached_mask": str(entry / "mask.npy") if has_mask else None,
        "geometry": content["geometry"],
        "voxel_hashes": content["voxel_hashes"],
        "mask_on_background": content["mask_on_background"],
        "tumour_voxels": voxels,
        "tumour_ml": tumour_millilitres(voxels, content["geometry"]["spacing"]) if has_mask else None,
    }


def _store_brain(record: Record, entry: Path, modalities: Sequence[str], standardise_by: str) -> None:
    case = prepare_case(record, modalities, standardise_by)
    counts = [[0, 0, 0]] * case.geometry.shape[2]
    if case.classes is not None:
        counts = count_tumour(case.classes, case.geometry)
        save_array(entry / "mask.npy", case.classes)
    save_array(entry / "slices.npy", case.image)
    content = {"geometry": case.geometry.to_dict(), "has_mask": case.classes is not None, "tumour_voxels": counts}
    found = {"voxel_hashes": case.voxel_hashes, "mask_on_background": case.mask_on_background}
    write_json(entry / DESCRIPTION, {**content, **found})
