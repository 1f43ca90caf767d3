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
from scipy import ndimage

from common.formats.images import read_image

SIZE = 128
"""Pixels of the longest side that pictures are compared at."""

LOCAL = 6.5
"""Sigma in pixels of the local mean and deviation."""

NOISE_FLOOR = 0.05
"""Share of the whole picture's deviation: flatter regions are not amplified to full contrast."""

SMOOTH = 0.8
QUANTUM = 32
"""Normalised values are stored as int8 in steps of 1/32: they hardly ever exceed 4."""

RINGS, ANGLES, HARMONICS = 12, 32, 10
BLOB_SIGMAS = 2.4 * 1.3 ** np.arange(6)
DISC = 5.0
"""Radius of a blob's disc in its sigmas."""

DISCS = 16


@dataclass(frozen=True)
class Fingerprint:
    """A picture as it is compared.

    Args:
        picture: int8 (SIZE, SIZE), locally normalised, in steps of 1/QUANTUM; beyond ``shape`` it is padding.
        shape: height and width of the picture within it.
        centres: (views, 2) the centre (y, x) of every view in pixels.
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
    image = Image.fromarray(read_image(path))
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
    smooth = ndimage.gaussian_filter(even, SMOOTH)
    picture = np.zeros((SIZE, SIZE), np.int8)
    picture[:height, :width] = _quantise(smooth)
    return Fingerprint(picture, (height, width), centres, radii, _quantise(_sample_polar(smooth, centres, radii)))


def describe_views(polar: np.ndarray) -> np.ndarray:
    """Descriptors of unit length, float32 (views, RINGS * HARMONICS), that rotations and flips do not change."""
    weights = np.sqrt(np.arange(RINGS, dtype=np.float32) + 0.5)[:, None]
    magnitudes = np.abs(np.fft.rfft(polar * weights, axis=-1))[..., :HARMONICS]
    flat = magnitudes.reshape(len(polar), -1)
    return (flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9)).astype(np.float32)


def _normalise(image: np.ndarray) -> np.ndarray:
    """Subtract the local mean and divide by the local deviation, without amplifying the noise of flat regions."""
    difference = image - ndimage.gaussian_filter(image, LOCAL)
    deviation = np.sqrt(ndimage.gaussian_filter(difference**2, LOCAL))
    return np.asarray(difference / (deviation + NOISE_FLOOR * image.std() + 1e-3))


def _find_blobs(even: np.ndarray) -> np.ndarray:
    """Centre (y, x) and sigma of the strongest blobs, (at most DISCS, 3): extrema of the Laplacian in scale-space."""
    blurred = [ndimage.gaussian_filter(even, sigma, truncate=3) for sigma in BLOB_SIGMAS]
    strength = np.abs(np.diff(np.stack(blurred), axis=0))
    peaks = strength == ndimage.maximum_filter(strength, (3, 5, 5))
    level, y, x = np.nonzero(peaks[1:-1])
    level += 1
    sigma = BLOB_SIGMAS[level] * 1.3 ** (0.5 + _parabola_peak(strength, level, y, x))
    height, width = even.shape
    inside = np.minimum.reduce([y, x, height - 1 - y, width - 1 - x]) > 0.6 * DISC * sigma
    blobs = np.column_stack([y, x, sigma])[inside]
    strongest = np.argsort(-strength[level, y, x][inside], kind="stable")[:DISCS]
    return blobs[strongest]


def _parabola_peak(strength: np.ndarray, level: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Where between the levels the peak lies, from -0.5 to 0.5."""
    below, at, above = (strength[level + step, y, x] for step in (-1, 0, 1))
    bend = np.maximum(2 * at - below - above, 1e-9)
    return np.clip((above - below) / (2 * bend), -0.5, 0.5)


def _sample_polar(image: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Sample (views, RINGS, ANGLES); what lies beyond the frame counts as flat."""
    reach = (np.arange(RINGS) + 0.5)[:, None] / RINGS
    angle = np.arange(ANGLES) * 2 * np.pi / ANGLES
    circle = np.stack([reach * np.sin(angle), reach * np.cos(angle)])
    points = centres.T[:, :, None, None] + radii.T[:, :, None, None] * circle[:, None]
    return ndimage.map_coordinates(image, points, order=1, mode="constant")


def _quantise(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values * QUANTUM), -127, 127).astype(np.int8)
