"""The ways in which an image occurs twice in a data set, as found in Br35H."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance

from common.phantoms.writing.slice_pictures import SlicePicture

Copier = Callable[[np.random.Generator, SlicePicture], SlicePicture]
Resampling = Image.Resampling


def _rotated(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    turns = [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270]
    return _transposed(picture, turns[rng.integers(3)])


def _flipped(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    flips = [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM]
    return _transposed(picture, flips[rng.integers(2)])


def _brightened(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    return SlicePicture(ImageEnhance.Brightness(picture.image).enhance(rng.uniform(1.15, 1.45)), picture.mask)


def _sharpened(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    return SlicePicture(ImageEnhance.Sharpness(picture.image).enhance(rng.uniform(1.8, 3.0)), picture.mask)


def _pixelated(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    """A thumbnail, its blocks enlarged to squares, and their edges sharpened."""
    buffer = io.BytesIO()
    scale = rng.integers(70, 86) / max(picture.image.size)
    size = round(scale * picture.image.width), round(scale * picture.image.height)
    picture.image.resize(size, Resampling.BOX).save(buffer, "JPEG", quality=40)
    squares = Image.open(buffer).resize(picture.image.size, Resampling.NEAREST)
    return SlicePicture(ImageEnhance.Sharpness(squares).enhance(rng.uniform(5.0, 8.0)), picture.mask)


def _rescaled(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    factor = rng.uniform(0.6, 0.9) if rng.random() < 0.5 else rng.uniform(1.1, 1.5)
    return _resized(picture, round(factor * picture.image.width), round(factor * picture.image.height))


def _cropped(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    width, height = picture.image.size
    left, top, right, bottom = rng.uniform(0, 0.05, 4)
    box = (round(left * width), round(top * height), round((1 - right) * width), round((1 - bottom) * height))
    return SlicePicture(picture.image.crop(box), picture.mask.crop(box))


def _unchanged(rng: np.random.Generator, picture: SlicePicture) -> SlicePicture:
    return picture


COPIERS: dict[str, Copier] = {
    "identical": _unchanged,
    "reencoded": _unchanged,
    "rotated": _rotated,
    "flipped": _flipped,
    "brightened": _brightened,
    "sharpened": _sharpened,
    "pixelated": _pixelated,
    "rescaled": _rescaled,
    "cropped": _cropped,
}
"""Each makes a copy. An ``identical`` one is the original's file byte for byte, a ``reencoded`` one is not."""


def _transposed(picture: SlicePicture, method: Image.Transpose) -> SlicePicture:
    return SlicePicture(picture.image.transpose(method), picture.mask.transpose(method))


def _resized(picture: SlicePicture, width: int, height: int) -> SlicePicture:
    size = width, height
    return SlicePicture(
        picture.image.resize(size, Resampling.BICUBIC, reducing_gap=3.0),
        picture.mask.resize(size, Resampling.NEAREST),
    )
