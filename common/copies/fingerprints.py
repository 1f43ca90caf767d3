"""Fingerprints: what does not change when a picture is rotated, flipped, cropped, rescaled, brightened or sharpened.

A picture is normalised by its local mean and deviation, which undoes brightness and contrast. It is then looked at
through several round *views*: the whole frame, and a disc around each of its strongest blobs (Lindeberg, "Feature
detection with automatic scale selection", 1998), whose place and size move with the content. A crop loses some discs
and keeps the others. Each view is sampled on a polar grid: to turn the picture is to shift a row, to mirror it is to
reverse one, and the magnitude of the row's Fourier transform does not change with either.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from common.copies.sampling import sample
from common.copies.smoothing import shrink_all, smooth
from common.formats.images import read_image

SIZE = 128
"""Pixels of the longest side that pictures are compared at."""

LOCAL = 6.5
"""Sigma in pixels of the local mean and deviation."""

NOISE_FLOOR = 0.05
"""Share of the whole picture's deviation: flatter regions are not amplified to full contrast."""

SMOOTH = 1.0
QUANTUM = 32
"""Normalised values are stored as int8 in steps of 1/32: they hardly ever exceed 4."""

RINGS, ANGLES, HARMONICS = 12, 32, 10
BLOB_SIGMAS = 2.4 * 1.3 ** np.arange(6)
DISC = 5.0
"""Radius of a blob's disc in its sigmas."""

DISCS = 16
HALVING = 1.2
"""Sigma in pixels of a picture of half the size, in which blobs are sought."""

FAINTEST = 1e-3
"""Weaker extrema are those of an even background."""


@dataclass(frozen=True)
class Fingerprint:
    """A picture as it is compared.

    Args:
        picture: int8 (SIZE, SIZE), locally normalised, in steps of 1/QUANTUM; beyond ``shape`` it is padding.
        shape: height and width of the picture within it.
        centres: (views, 2) the centre (y, x) of every view in pixels, that of the whole frame first.
        radii: (views, 2) its half axes along y and x in pixels.
        polar: int8 (views, RINGS, ANGLES), the picture within each view on a polar grid.
    """

    picture: np.ndarray
    shape: tuple[int, int]
    centres: np.ndarray
    radii: np.ndarray
    polar: np.ndarray


def fingerprint_file(path: str) -> Fingerprint:
    """Read a picture and take its fingerprint.

    Raises:
        DatasetError: it cannot be read.
    """
    image = Image.fromarray(read_image(path, at_least=SIZE))
    scale = SIZE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    # Bilinear in Pillow averages over what it shrinks.
    small = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2)
    return fingerprint_image(np.asarray(small, dtype=np.float32))


def fingerprint_image(image: np.ndarray) -> Fingerprint:
    """The fingerprint of grey values (y, x) whose longest side has ``SIZE`` pixels."""
    even = _normalise(image)
    height, width = image.shape
    blobs = _find_blobs(even)
    centres = np.vstack([[(height - 1) / 2, (width - 1) / 2], blobs[:, :2]])
    radii = np.vstack([[height / 2, width / 2], np.repeat(DISC * blobs[:, 2:], 2, axis=1)])
    picture = np.zeros((SIZE, SIZE), np.int8)
    picture[:height, :width] = _quantise(smooth(even, SMOOTH))
    return Fingerprint(
        picture, (height, width), centres, radii, _sample_polar(picture, (height, width), centres, radii)
    )


def describe_views(polar: np.ndarray) -> np.ndarray:
    """Descriptors of unit length, float32 (views, RINGS * HARMONICS), that rotations and flips do not change."""
    weights = np.sqrt(np.arange(RINGS, dtype=np.float32) + 0.5)[:, None]
    magnitudes = np.abs(np.fft.rfft(polar * weights, axis=-1))[..., :HARMONICS]
    flat = magnitudes.reshape(len(polar), -1)
    return (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _normalise(image: np.ndarray) -> np.ndarray:
    """Subtract the local mean and divide by the local deviation, without amplifying the noise of flat regions."""
    difference = image - smooth(image, LOCAL)
    deviation = np.sqrt(np.maximum(smooth(difference**2, LOCAL), 0))
    return np.asarray(difference / (deviation + NOISE_FLOOR * image.std() + 1e-3))


def _find_blobs(even: np.ndarray) -> np.ndarray:
    """Centre (y, x) and sigma of the strongest blobs, (at most DISCS, 3): extrema of the Laplacian in scale-space."""
    height, width = even.shape
    half = (height + 1) // 2, (width + 1) // 2
    (small,) = shrink_all(even, half, (HALVING,))
    sigmas = tuple((np.sqrt(BLOB_SIGMAS**2 - HALVING**2) / 2).tolist())
    strength = np.abs(np.diff(shrink_all(small, half, sigmas), axis=0))
    inner = strength[1:-1, 1:-1, 1:-1]
    peaks = np.flatnonzero((inner == _strongest_near(strength)) & (inner > FAINTEST))
    level, y, x = (place + 1 for place in np.unravel_index(peaks, inner.shape))
    at, between = _parabola_peaks(strength, (level, y, x))
    sigma = BLOB_SIGMAS[0] * 1.3 ** (level + 0.5 + between[0])
    y, x = 2 * (y + between[1]) + 0.5, 2 * (x + between[2]) + 0.5
    inside = np.minimum(np.minimum(y, x), np.minimum(height - 1 - y, width - 1 - x)) > 0.6 * DISC * sigma
    strongest = np.argsort(np.where(inside, -at, 0), kind="stable")[: min(DISCS, inside.sum())]
    return np.column_stack([y[strongest], x[strongest], sigma[strongest]])


def _strongest_near(strength: np.ndarray) -> np.ndarray:
    """The maximum of the 27 values around each inner one."""
    for axis in range(3):
        ahead, at, behind = (
            strength[(slice(None),) * axis + (part,)] for part in (slice(2, None), slice(1, -1), slice(-2))
        )
        strength = np.maximum(np.maximum(ahead, at), behind)
    return strength


def _parabola_peaks(strength: np.ndarray, places: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The values at peaks (n,), and where between the points of each axis these lie, (3, n) from -0.5 to 0.5."""
    flat = strength.ravel()
    start = np.ravel_multi_index(places, strength.shape)
    steps = np.array([strength[0].size, strength.shape[2], 1])[:, None]
    below, at, above = flat.take(start - steps), flat.take(start), flat.take(start + steps)
    bend = np.maximum(2 * at - below - above, 1e-9)
    return at, np.clip((above - below) / (2 * bend), -0.5, 0.5)


_REACH = ((np.arange(RINGS) + 0.5) / RINGS)[:, None]
_ANGLE = np.arange(ANGLES) * 2 * np.pi / ANGLES
_CIRCLE = np.stack([_REACH * np.sin(_ANGLE), _REACH * np.cos(_ANGLE)]).astype(np.float32)


def _sample_polar(picture: np.ndarray, shape: tuple[int, int], centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Sample int8 (views, RINGS, ANGLES); what lies beyond the frame counts as flat."""
    points = centres[:, :, None, None] + radii[:, :, None, None] * _CIRCLE
    flat = points.reshape(1, len(centres), 2, -1).transpose(0, 2, 1, 3).reshape(1, 2, -1).astype(np.float32)
    values = sample(picture[None], np.array([shape]), flat)
    return np.rint(values).astype(np.int8).reshape(len(centres), RINGS, ANGLES)


def _quantise(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values * QUANTUM), -127, 127).astype(np.int8)
