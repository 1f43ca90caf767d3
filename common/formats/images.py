"""Reading single images (JPG, PNG and the like), and refusing broken ones.

A folder of slices is rarely in one format: grey, RGB, palette and transparent files, 16 bits, PNGs called .jpg,
photographs that only a tag rotates. Pillow reads them all. Here they become one kind of array, and a file that cannot
be read becomes one clear problem.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import DatasetError, Problem
from common.formats.limits import HINT, MOST_SIDE, endless, fitting_memory, plane_too_large

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp")
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP")
"""The formats that Pillow may recognise in a file, whatever its name."""

SMALLEST_SIDE = 32
"""Pixels. Br35H's smallest image has 150."""

DEEP = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Pillow's modes of more than 8 bits."""

UNKNOWN_COLOURS = ("LAB",)
"""Pillow's modes that it reads and does not convert."""

FETCH_AGAIN = "Download or copy the file again."
DAMAGED = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error),
    *(TypeError, KeyError, IndexError, OverflowError, UserWarning),
)
"""What Pillow raises of a file that is not as its format says, whose tags may be of any type, number and size."""

MOST_AT_ONCE = 2**20
"""Bytes that are asked of a file without a look at how many are left."""

BROKEN_TAG = "Tag data larger than file|Truncated File Read|(Possibly c|C)orrupt EXIF|Invalid APNG"
"""How Pillow's warnings of damage begin: of a tag, which may turn the image, or of how many images there are."""

OPENING = Lock()
"""What becomes of warnings is set for all threads at once."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # such images are refused here

PathLike = str | os.PathLike[str]
Pixels = NDArray[np.uint8]


def read_image(path: PathLike, at_least: int | None = None) -> Pixels:
    """Read an image as uint8 (y, x) in grey; see :func:`read_rgb_image`.

    Args:
        path: of the file.
        at_least: pixels of both sides that suffice: a JPEG decoder makes a half, a quarter or an eighth of an image at
            less cost than all of it, and grey at less cost than colours.
    """
    return np.asarray(_open(path, at_least).convert("L"))


def read_rgb_image(path: PathLike) -> Pixels:
    """Read an image as uint8 (y, x, 3).

    It is rotated by its EXIF tag, transparent parts become black, and more than 8 bits are scaled so that the
    brightest pixel becomes 255 and 0 stays 0.

    Raises:
        DatasetError: the file is missing, empty, truncated, damaged, no image, too small, or holds several images.
    """
    return np.asarray(_open(path).convert("RGB"))


def read_comment(path: PathLike) -> str:
    """The comment in an image's header, empty where there is none.

    Raises:
        DatasetError: the file is missing or no image.
    """
    try:
        with _BoundedFile(path) as file, Image.open(file, formats=FORMATS) as image:
            comment = image.info.get("comment", "")
    except (FileNotFoundError, *DAMAGED, Image.DecompressionBombError) as error:
        raise DatasetError(_explain(error, path)) from error
    return comment.decode("utf-8", "replace") if isinstance(comment, bytes) else str(comment)


def is_image_name(path: Path) -> bool:
    """Whether a file is named as images are, in either case."""
    return path.suffix.lower() in SUFFIXES


class _BoundedFile(io.BufferedReader):
    """A file of which no more is asked than it holds.

    Pillow asks for as many bytes as a damaged length claims, and memory for all of them is taken first.
    """

    def __init__(self, path: PathLike) -> None:
        super().__init__(io.FileIO(path))
        self.length = self.seek(0, os.SEEK_END)
        self.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size <= MOST_AT_ONCE:
            return super().read(size)
        return super().read(min(size, max(self.length - self.tell(), 0)))


@contextmanager
def opened_image(path: PathLike) -> Iterator[Image.Image]:
    """An image of which only the header has been read.

    Raises:
        DatasetError: as :func:`read_rgb_image`; what is wrong with the pixels, once they are loaded.
    """
    if problem := endless(path):
        raise DatasetError(problem)
    try:
        with fitting_memory(path), _BoundedFile(path) as file:
            with _strict_tags():
                opened = Image.open(file, formats=FORMATS)
            with opened as image:
                _refuse_odd(image, path)
                yield image
    except (*DAMAGED, Image.DecompressionBombError) as error:
        raise DatasetError(_explain(error, path)) from error


@contextmanager
def _strict_tags() -> Iterator[None]:
    """Make an error of a damaged tag, without which Pillow would go on."""
    with OPENING, warnings.catch_warnings():
        warnings.filterwarnings("error", BROKEN_TAG, UserWarning)
        yield


def _open(path: PathLike, grey_of_at_least: int | None = None) -> Image.Image:
    """The decoded image in a mode of 8 bits without transparency."""
    with opened_image(path) as image:
        if grey_of_at_least:
            image.draft("L", (grey_of_at_least, grey_of_at_least))  # of JPEGs alone
        with _strict_tags() if _may_be_animated(image, path) else nullcontext():
            image.load()
        with _strict_tags():
            ImageOps.exif_transpose(image, in_place=True)
        return _opaque(_eight_bits(image, path))


def _may_be_animated(image: Image.Image, path: PathLike) -> bool:
    """Whether parts behind a PNG's pixels may say that there are more images: Pillow only warns of damaged ones."""
    return image.format == "PNG" and b"acTL" in Path(path).read_bytes()


def _refuse_odd(image: Image.Image, path: PathLike) -> None:
    if too_large := plane_too_large(image.size, path):
        raise DatasetError(too_large)
    if min(image.size) < SMALLEST_SIDE:
        width, height = image.size
        hint = f"At least {SMALLEST_SIDE} pixels on either side are expected; remove it or use the original."
        raise DatasetError(Problem(f"the image is only {width} x {height} pixels", str(path), hint))
    if image.mode in UNKNOWN_COLOURS:
        raise DatasetError(Problem(f"its colours are stored as {image.mode}", str(path), "Save it as grey or RGB."))
    # An MPO is a photograph with previews: its first image is the photograph.
    count = getattr(image, "n_frames", 1)
    if count > 1 and image.format != "MPO":
        raise DatasetError(Problem(f"the file holds {count} images", str(path), "Save each in a file of its own."))


def _eight_bits(image: Image.Image, path: PathLike) -> Image.Image:
    if image.mode not in DEEP:
        return image
    deep = np.asarray(image).astype(np.float32)
    if not np.isfinite(deep).all():
        raise DatasetError(Problem("some of its pixels are NaN or infinite", str(path), "Export the image again."))
    brightest = max(float(deep.max()), 1e-6)
    return Image.fromarray(np.rint(np.clip(deep, 0, None) * (255 / brightest)).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    black = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")


def _explain(error: BaseException, path: PathLike) -> Problem:
    path = Path(path)
    if isinstance(error, FileNotFoundError):
        return Problem("the file does not exist", str(path), "Check the path; the data set may be incomplete.")
    if isinstance(error, Image.DecompressionBombError):
        return Problem(f"claims more pixels than {MOST_SIDE} x {MOST_SIDE}, which are read at most", str(path), HINT)
    if path.is_file() and path.stat().st_size == 0:
        return Problem("the file is empty", str(path), FETCH_AGAIN)
    if isinstance(error, UnidentifiedImageError):
        return Problem("the file is no image", str(path), "JPG, PNG, BMP, GIF, TIFF or WebP is expected.")
    if isinstance(error, OSError) and error.errno is not None:
        reason = (error.strerror or str(error)).lower()
        return Problem(f"cannot be read ({reason})", str(path), "Check the path and your rights.")
    return Problem("the image is truncated or damaged", str(path), FETCH_AGAIN)
