"""Slices that look like brains, and copies of them whose truth is known."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps
from scipy import ndimage

Picture = Image.Image


def make_slice(seed: int, height: int = 200, width: int = 170, neighbour: float = 0.0) -> Picture:
    """A bright rim around random folds; with ``neighbour`` it is narrower and other folds are mixed in, as in the next
    slice of a volume."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    distance = np.hypot(x / rng.uniform(0.7, 0.85), y / rng.uniform(0.75, 0.9)) / (1 - 0.03 * abs(neighbour))
    folds = sum(_folds(rng, y.shape, sigma) for sigma in (4, 9))
    other = sum(_folds(rng, y.shape, sigma) for sigma in (4, 9))
    mixed = np.sqrt(1 - neighbour**2) * folds + neighbour * other
    brain = np.where(distance < 0.85, 110 + 35 * mixed, np.where(distance < 0.95, 80, 150))
    noise = np.random.default_rng([seed, round(100 + 100 * neighbour)]).normal(0, 3, y.shape)
    grey = np.where(distance < 1, brain, 4) + noise
    return Image.fromarray(np.uint8(np.clip(grey, 0, 255)))


def _folds(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
    field = ndimage.gaussian_filter(rng.normal(size=shape), sigma)
    return field / field.std()


def _crop(left: float, top: float, right: float, bottom: float) -> Callable[[Picture], Picture]:
    def crop(image: Picture) -> Picture:
        width, height = image.size
        return image.crop((int(left * width), int(top * height), int((1 - right) * width), int((1 - bottom) * height)))

    return crop


def _pixelate(image: Picture, width: int, quality: int) -> Picture:
    """A thumbnail, its blocks enlarged to squares, and then too much contrast along their edges."""
    buffer = io.BytesIO()
    thumbnail = image.resize((width, round(width * image.height / image.width)), Image.Resampling.BOX)
    thumbnail.save(buffer, "JPEG", quality=quality)
    squares = Image.open(buffer).resize(image.size, Image.Resampling.NEAREST)
    return ImageEnhance.Sharpness(squares).enhance(8)


COPIES: dict[str, Callable[[Picture], Picture]] = {
    "saved anew": lambda image: image,
    "rotated 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "rotated 180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "rotated 270": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "transposed": lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.7),
    "darkened": lambda image: ImageEnhance.Brightness(image).enhance(0.4),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.5),
    "gamma": lambda image: image.point([round(255 * (value / 255) ** 0.6) for value in range(256)]),
    "sharpened": lambda image: ImageEnhance.Sharpness(image).enhance(5),
    "pixelated, sharpened": lambda image: _pixelate(image, 54, 15),
    "half size": lambda image: image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC),
    "enlarged": lambda image: image.resize((2 * image.width, 2 * image.height), Image.Resampling.BICUBIC),
    "stretched": lambda image: image.resize((int(1.15 * image.width), image.height), Image.Resampling.BICUBIC),
    "cropped": _crop(0.12, 0.03, 0.0, 0.15),
    "cut to the middle": _crop(0.1, 0.1, 0.1, 0.1),
    "framed": lambda image: ImageOps.expand(image, 30, fill=0),
    "tilted": lambda image: image.rotate(20, Image.Resampling.BICUBIC, expand=True),
    "mixed": lambda image: ImageEnhance.Brightness(
        ImageOps.mirror(_crop(0.06, 0.06, 0.0, 0.0)(image).transpose(Image.Transpose.ROTATE_90))
    ).enhance(1.4),
}


def save(image: Picture, path: Path, quality: int = 80) -> dict[str, str]:
    """Write a JPEG; returns its record."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=quality)
    return {"subject": path.stem, "image": str(path)}
