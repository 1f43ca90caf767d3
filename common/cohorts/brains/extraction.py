"""A brain mask for every volume that shows a whole head: the one beside it, or HD-BET's.

The masks of HD-BET, and which volumes have no skull, are kept beside the cache of prepared volumes, so each volume is
processed once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.cache_folder import first_process_first
from common.cohorts.brains.hd_bet import find_hd_bet, run_hd_bet
from common.cohorts.brains.masks import is_stripped
from common.errors import DatasetError, KnobError, Problem
from common.files import atomic_path, stable_hash
from common.formats.volumes import read_volume, volume_stamp
from common.records import Record, value_of, without_key

CHOICES = ("auto", "hd-bet", "none")
FOLDER = "brains"
MASK, STRIPPED = ".nii.gz", ".stripped"
"""Endings of the kept files: a brain mask, or an empty file for a volume without a skull."""

STRIPPED_SOURCES = "brats"
"""Data sets whose names start with this are skull-stripped by their organisers and need not be read."""

READERS = 4


def add_brain_masks(
    records: Sequence[Record],
    cache_dir: str | os.PathLike[str],
    modalities: Sequence[str] = ("t1ce",),
    tool: str = "auto",
) -> list[Record]:
    """The records with ``brain_mask`` for each volume that shows more than a brain.

    BraTS is stripped by its organisers. Of other volumes without a mask, the first of ``modalities`` is read once to
    see whether it shows a skull; see :func:`~common.cohorts.brains.masks.is_stripped`.

    Args:
        records: of :func:`~common.cohorts.read_volume_cohort`, with the masks that lie beside their images.
        cache_dir: where HD-BET's masks are kept, in a folder ``brains``.
        modalities: in the order of the channels.
        tool: ``auto``: a mask beside the image, else HD-BET if it is installed; ``hd-bet``: HD-BET wherever there is a
            skull, and masks beside the images are ignored; ``none``: heads without a mask stay whole.

    Raises:
        DatasetError: one message that names all heads without a mask, when HD-BET is not installed; or a volume
            cannot be read, or HD-BET failed.
        KnobError: ``tool`` is none of these.
    """
    if tool not in CHOICES:
        raise KnobError(Problem(f"{tool!r} is no choice", "--brain_extraction", f"Choose one of {', '.join(CHOICES)}."))
    if tool == "hd-bet":
        records = [without_key(record, "brain_mask") for record in records]
    images = {index: image for index, record in enumerate(records) if (image := _unmasked(record, modalities))}
    if tool == "none" or not images:
        return list(records)
    with first_process_first():
        found = _find_masks(list(dict.fromkeys(images.values())), Path(cache_dir) / FOLDER)
    masks = {index: found[image] for index, image in images.items() if image in found}
    return [
        {**record, "brain_mask": masks[index]} if index in masks else record for index, record in enumerate(records)
    ]


def _find_masks(images: Sequence[str], folder: Path) -> dict[str, str]:
    """The kept mask of each volume that is a head; those that are not there yet are made."""
    kept = {image: folder / stable_hash(volume_stamp(image))[:24] for image in images}
    masks = {image: kept[image].with_suffix(MASK) for image in _find_heads(kept)}
    wanted = {image: mask for image, mask in masks.items() if not mask.is_file()}
    if wanted:
        command = find_hd_bet()
        if command is None:
            raise DatasetError(no_brain_problem(list(wanted)))
        run_hd_bet(command, wanted, folder)
    return {image: str(mask) for image, mask in masks.items()}


def unmasked_heads(records: Iterable[Record], modalities: Sequence[str] = ("t1ce",)) -> list[str]:
    """The volumes that show a head and have no brain mask; those that cannot be read are left out. Nothing is written.

    Args:
        records: of :func:`~common.cohorts.read_volume_cohort`.
        modalities: the first one that a person has is read.
    """
    images = list(filter(None, (_unmasked(record, modalities) for record in records)))
    with ThreadPoolExecutor(READERS) as pool:
        return [image for image, is_head in zip(images, pool.map(_shows_head, images), strict=True) if is_head is True]


def no_brain_problem(images: Sequence[str]) -> Problem:
    """The problem of volumes that are whole heads."""
    folders = sorted({str(Path(image).parent) for image in images})
    are = "volumes are whole heads" if len(images) > 1 else "volume is a whole head"
    what = f"{len(images)} {are} without a brain mask: {', '.join(Path(image).name for image in images)}"
    hint = (
        "Put a mask beside each, such as IXI012-HH-1211-T1_mask.nii.gz (not zero in the brain), or pass volumes "
        "without the skull, or install HD-BET: pip install -e .[hd-bet]."
    )
    return Problem(what, ", ".join(folders), hint)


def _unmasked(record: Record, modalities: Iterable[str]) -> str | None:
    """The volume that must be read, ``None`` where a mask is known or not needed."""
    if record.get("brain_mask") or str(record.get("source")).startswith(STRIPPED_SOURCES):
        return None
    return next((str(value_of(record, name)) for name in ("image", *modalities) if record.get(name)), None)


def _find_heads(kept: Mapping[str, Path]) -> list[str]:
    """The volumes with a skull, given the path, without an ending, of what is kept of each."""

    def recall(image: str) -> bool | DatasetError:
        marker = kept[image].with_suffix(STRIPPED)
        if marker.is_file() or kept[image].with_suffix(MASK).is_file():
            return not marker.is_file()
        is_head = _shows_head(image)
        if is_head is False:
            with atomic_path(marker):
                pass
        return is_head

    with ThreadPoolExecutor(READERS) as pool:
        found = dict(zip(kept, pool.map(recall, kept), strict=True))
    problems = [problem for error in found.values() if isinstance(error, DatasetError) for problem in error.problems]
    if problems:
        raise DatasetError(problems)
    return [image for image, is_head in found.items() if is_head]


def _shows_head(image: str) -> bool | DatasetError:
    """Whether a volume shows more than a brain, or the error where it cannot be read."""
    try:
        volume = read_volume(image)
    except DatasetError as error:
        return error
    return not is_stripped(volume.array, volume.affine)
