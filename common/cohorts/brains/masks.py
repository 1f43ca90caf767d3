"""Finding the brain in a head: a mask beside the image, or an image without a skull."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from common.cohorts.checks import AFFINE_TOLERANCE
from common.errors import DatasetError, Problem
from common.formats.background import faces_of
from common.formats.folders import SUFFIXES
from common.formats.volumes import read_volume_header
from common.records import Record, scan_of, value_of

MASK = re.compile(r"[-_.]((hd[-_]?bet|bet|brain|brain[-_]extraction|synthstrip)[-_]?)?mask|[-_.](dlmuse|dlicv)", re.I)
"""What the name of a mask adds to the image's. DLMUSE's maps hold one label per structure, DLICV's the whole brain."""

SEQUENCE = re.compile(r"[-_](flair|t1ce|t1|t2|t1w|t2w|t1c|t1n|t2f)$", re.IGNORECASE)

LARGEST_BRAIN_ML = 2500.0
"""More than any brain with its fluid (those of BraTS have 1270 to 1730 ml), less than any head (IXI: 5250 to 6990)."""

LARGEST_RIM = 0.25
"""Share of the outermost voxels that may be non-zero: a brain only touches them, the noise of air fills them."""


def find_brain_mask(image: str | os.PathLike[str]) -> str | None:
    """The brain mask that lies beside an image, ``None`` where there is none.

    Its name is that of the image, with or without the sequence, and ``_mask``, ``_brain_mask``, ``_brainmask``,
    ``_bet_mask``, ``_DLMUSE`` or the like. Any voxel of it that is not zero is brain.

    Raises:
        DatasetError: several files could be the mask.
    """
    image = Path(image)
    if image.is_dir() or not image.parent.is_dir():
        return None
    stem = _stem(image.name)
    beside = _masks_in(str(image.parent), image.parent.stat().st_mtime_ns)
    for start in dict.fromkeys((stem, SEQUENCE.sub("", stem))):
        found = [name for name in beside.get(start.lower(), ()) if name != image.name]
        if len(found) > 1:
            hint = "Keep the one that is right, or name it in a --datalist under brain_mask."
            raise DatasetError(Problem(f"has several brain masks beside it: {', '.join(found)}", image, hint))
        if found:
            return str(image.parent / found[0])
    return None


def is_stripped(array: np.ndarray, affine: np.ndarray) -> bool:
    """Whether a volume shows a brain alone, all else being exactly zero, as in BraTS.

    Args:
        array: voxels (x, y, z) or (x, y, z, channel).
        affine: (4, 4), its scale in mm.
    """
    nonzero = array != 0 if array.ndim == 3 else (array != 0).any(axis=3)
    volume_ml = nonzero.sum() * abs(float(np.linalg.det(affine[:3, :3]))) / 1000
    faces = faces_of(nonzero)
    rim = sum(int(face.sum()) for face in faces) / sum(face.size for face in faces)
    return bool(nonzero.any() and volume_ml <= LARGEST_BRAIN_ML and rim <= LARGEST_RIM)


def find_mask_problems(records: Iterable[Record], modalities: Sequence[str]) -> dict[str, Problem]:
    """Find brain masks that are unreadable or not on the grid of their image.

    Args:
        records: with ``brain_mask``, where there is one.
        modalities: the first one that a person has is compared.

    Returns:
        The problem of each such mask under the name of its scan.
    """
    found: dict[str, Problem] = {}
    for record in records:
        if not record.get("brain_mask"):
            continue
        try:
            problem = _compare(
                record, next(value_of(record, name) for name in ("image", *modalities) if record.get(name))
            )
        except DatasetError as error:
            problem = error.problems[0]
        if problem:
            found[scan_of(record)] = problem
    return found


def _compare(record: Record, image: str) -> Problem | None:
    mask, reference = read_volume_header(record["brain_mask"]), read_volume_header(image)
    same = mask.shape[:3] == reference.shape[:3]
    if same and np.allclose(mask.affine, reference.affine, rtol=0, atol=AFFINE_TOLERANCE):
        return None
    shapes = (" x ".join(map(str, header.shape[:3])) for header in (mask, reference))
    what = "the brain mask has another affine than its image" if same else "the brain mask has {} voxels, {} its image"
    hint = f"Resample it to the grid of {image}, or remove it."
    return Problem(what.format(*shapes), record["brain_mask"], hint)


def _stem(name: str) -> str:
    return next((name[: -len(suffix)] for suffix in SUFFIXES if name.lower().endswith(suffix)), name)


@lru_cache(maxsize=64)
def _masks_in(folder: str, stamp: int) -> dict[str, list[str]]:
    """Names of the masks in a folder by the lower-case name of their image; ``stamp`` makes changes be read."""
    masks: dict[str, list[str]] = {}
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        stem = _stem(entry.name)
        ending = next((found for found in MASK.finditer(stem) if found.end() == len(stem)), None)
        if ending and stem != entry.name and not entry.name.startswith("."):
            masks.setdefault(stem[: ending.start()].lower(), []).append(entry.name)
    return masks
