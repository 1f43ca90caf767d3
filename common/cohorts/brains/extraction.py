"""A brain mask for every volume that shows a whole head: the one beside it, or that of HD-BET or deepbet.

Their masks, and which volumes have no skull, are kept beside the cache of prepared volumes, so each volume is processed
once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.cache_folder import first_process_first
from common.cohorts.brains.deepbet import has_deepbet, run_deepbet
from common.cohorts.brains.hd_bet import find_hd_bet, run_hd_bet
from common.cohorts.brains.masks import is_stripped
from common.errors import DatasetError, KnobError, Problem
from common.files import atomic_path, stable_hash
from common.formats.volumes import read_volume, volume_stamp
from common.records import Record, value_of, without_key

TOOLS = {"hd-bet": ".nii.gz", "deepbet": ".deepbet.nii.gz"}
"""The ending of a kept mask of each; the first one that is installed is taken where none is named."""

CHOICES = ("auto", *TOOLS, "none")
FOLDER = "brains"
STRIPPED = ".stripped"
"""Ending of the empty file that is kept for a volume without a skull."""

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
        cache_dir: where masks of HD-BET and deepbet are kept, in a folder ``brains``.
        modalities: in the order of the channels.
        tool: ``auto``: a mask beside the image, else HD-BET or deepbet, whichever is installed; ``hd-bet`` or
            ``deepbet``: that one wherever there is a skull, and masks beside the images are ignored; ``none``: heads
            without a mask stay whole.

    Raises:
        DatasetError: one message that names all heads without a mask, when the tool is not installed; or a volume
            cannot be read, or the tool failed.
        KnobError: ``tool`` is none of these.
    """
    if tool not in CHOICES:
        raise KnobError(Problem(f"{tool!r} is no choice", "--brain_extraction", f"Choose one of {', '.join(CHOICES)}."))
    if tool in TOOLS:
        records = [without_key(record, "brain_mask") for record in records]
    images = {index: image for index, record in enumerate(records) if (image := _unmasked(record, modalities))}
    if tool == "none" or not images:
        return list(records)
    with first_process_first():
        found = _find_masks(list(dict.fromkeys(images.values())), Path(cache_dir) / FOLDER, tool)
    masks = {index: found[image] for index, image in images.items() if image in found}
    return [
        {**record, "brain_mask": masks[index]} if index in masks else record for index, record in enumerate(records)
    ]


def installed_tool(tool: str = "auto") -> str | None:
    """The tool that makes masks: the one that is named, or the first of :data:`TOOLS`; ``None`` where it is absent."""
    installed = {"hd-bet": find_hd_bet() is not None, "deepbet": has_deepbet()}
    return next((name for name in TOOLS if tool in ("auto", name) and installed[name]), None)


def _find_masks(images: Sequence[str], folder: Path, tool: str) -> dict[str, str]:
    """The kept mask of each volume that is a head; those that are not there yet are made."""
    kept = {image: folder / stable_hash(volume_stamp(image))[:24] for image in images}
    heads = _find_heads(kept)
    endings = [ending for name, ending in TOOLS.items() if tool in ("auto", name)]
    masks = {image: mask for image in heads if (mask := _kept_mask(kept[image], endings))}
    missing = [image for image in heads if image not in masks]
    if missing:
        chosen = installed_tool(tool)
        if chosen is None:
            raise DatasetError(no_brain_problem(missing))
        wanted = {image: kept[image].with_suffix(TOOLS[chosen]) for image in missing}
        _run(chosen, wanted, folder)
        masks |= wanted
    return {image: str(mask) for image, mask in masks.items()}


def _run(tool: str, wanted: Mapping[str, Path], folder: Path) -> None:
    command = find_hd_bet() if tool == "hd-bet" else None
    if command is not None:
        run_hd_bet(command, wanted, folder)
    else:
        run_deepbet(wanted, folder)


def _kept_mask(kept: Path, endings: Iterable[str]) -> Path | None:
    return next((mask for ending in endings if (mask := kept.with_suffix(ending)).is_file()), None)


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
        "without the skull, or install a program that finds brains: HD-BET (pip install -e .[hd-bet]), or for T1 "
        "volumes of healthy adults deepbet (pip install -e .[deepbet])."
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
        if marker.is_file() or _kept_mask(kept[image], TOOLS.values()):
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
