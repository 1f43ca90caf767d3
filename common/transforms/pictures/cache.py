"""Single images in the cache: decoded once, at the working size."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from common.cache_folder import DESCRIPTION, open_entry, save_array
from common.errors import KnobError, Problem
from common.files import write_json
from common.formats.image_headers import read_image_header
from common.formats.images import read_image, read_rgb_image
from common.formats.voxel_hashes import hash_each
from common.records import Record
from common.transforms.cases import Case, entry_name, prepare_each

IMAGES_VERSION = 3
"""Raise it when prepared images change in a way that the other parts of the key do not show."""

READERS = {1: read_image, 3: read_rgb_image}
"""By the number of channels: grey or RGB."""

LARGEST_SIDE = 1024
ARRAY = "image.npy"


def prepare_pictures(
    records: Iterable[Record],
    cache_dir: str | os.PathLike[str] | None = None,
    size: Sequence[int] = (240, 240),
    channels: int = 1,
    workers: int | None = None,
) -> list[Case]:
    """Decode and resize every image that the cache does not hold yet (P2: to 240 x 240, without keeping its
    proportions).

    Args:
        records: with ``image``; see :func:`~common.cohorts.datasets.br35h.read_br35h`.
        cache_dir: ``None`` for :func:`~common.cache_folder.default_cache_dir`.
        size: pixels along x and y.
        channels: 1 for grey, 3 for RGB.
        workers: threads; by default one per core, four at most.

    Returns:
        Each record with ``cached`` (path of the image, uint8 (channels, x, y)), ``original_size`` (x, y pixels),
        ``stored_as`` (format, colour, bits) and ``voxel_hashes``.

    Raises:
        KnobError: the size or the channels have no meaning.
        DatasetError: everything that is wrong with any of the images, in one error.
        OutputError: the cache cannot be written.
    """
    prepare = partial(_cached_image, size=check_size(size), channels=check_channels(channels))
    return prepare_each(records, prepare, cache_dir, workers, axes=0, compare=False)


def fit_picture(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize uint8 (y, x) or (y, x, 3) to uint8 (channels, x, y) with ``size`` (x, y)."""
    resized = np.atleast_3d(resize_plane(pixels, size))
    return np.ascontiguousarray(resized.transpose(2, 1, 0))


def resize_plane(plane: NDArray, size: tuple[int, int]) -> NDArray:
    """Resize uint8 or float32 (y, x) or uint8 (y, x, 3) to ``size`` (x, y), bilinearly and without aliasing."""
    image = Image.fromarray(plane)
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """Check the knob ``image_size``.

    Returns:
        ``size`` as two whole numbers.

    Raises:
        KnobError: it has no meaning.
    """
    sides = [int(side) for side in size]
    if len(sides) != 2 or not all(1 <= side <= LARGEST_SIDE for side in sides):
        hint = f"Give two whole numbers from 1 to {LARGEST_SIDE}, such as [240, 240]."
        raise KnobError(Problem(f"{list(size)} is no size of an image", "size", hint))
    return sides[0], sides[1]


def check_channels(channels: int) -> int:
    """``channels``, checked.

    Raises:
        KnobError: no image has as many.
    """
    if channels not in READERS:
        raise KnobError(Problem(f"an image has no {channels} channels", "channels", "Use 1 for grey, 3 for RGB."))
    return channels


def _cached_image(record: Record, folder: Path, size: tuple[int, int], channels: int) -> Case:
    entry = folder / entry_name("image", {"image": record["image"]}, (), [IMAGES_VERSION, size, channels])
    content = open_entry(entry, [ARRAY], lambda: _store_image(record["image"], entry, size, channels))
    return {**record, "cached": str(entry / ARRAY), **cast(Case, content)}


def _store_image(path: str, entry: Path, size: tuple[int, int], channels: int) -> None:
    pixels = READERS[channels](path)
    save_array(entry / ARRAY, fit_picture(pixels, size))
    height, width = pixels.shape[:2]
    hashes = hash_each({"image": pixels})
    stored_as = read_image_header(path).traits
    about = {"original_size": [width, height], "stored_as": stored_as, "voxel_hashes": hashes}
    write_json(entry / DESCRIPTION, about)
