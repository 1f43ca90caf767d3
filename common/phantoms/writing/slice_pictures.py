"""Single slices of phantoms as people export them: windowed to 8 bits, slightly rotated, in many sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from common.phantoms.scans import phantom_subject

WEIGHTINGS = ("flair", "t1ce", "t2")
WEIGHTING_SHARES = (0.5, 0.3, 0.2)
SLICES = 16
"""Of the volume that a slice is taken from: enough for the tumour's shape, few enough to be quick."""

SIDES = (0.65, 2.0)
"""The shortest and the longest side of an image, as a multiple of the slice's."""

WHITE = (1.5, 2.2)
"""What becomes white, as a multiple of the healthy tissue's median."""


@dataclass(frozen=True)
class SlicePicture:
    """A slice as an image.

    Args:
        image: 8 bits, grey.
        mask: of the same size, 255 where the tumour is.
    """

    image: Image.Image
    mask: Image.Image


def phantom_slice(seed: int, index: int, side: int = 240, healthy: bool = False) -> SlicePicture:
    """A slice through the tumour or, in a healthy head, through a place for one.

    Each index has its own brain. Levels, sizes and windows of healthy slices are drawn as those of the others, the
    window from tissue outside the tumour: only the tumour predicts the class.

    Args:
        seed: of the cohort.
        index: of the slice in it.
        side: pixels of the slice before it is scaled.
        healthy: the head without its tumour.
    """
    rng = np.random.default_rng([seed, index, side])
    weighting = WEIGHTINGS[rng.choice(len(WEIGHTINGS), p=WEIGHTING_SHARES)]
    subject = phantom_subject(seed, index, (side, side, SLICES), healthy=healthy)
    voxels = subject.modalities[weighting][:, :, subject.level].T.astype(np.float32)
    tumour = subject.mask[:, :, subject.level].T > 0
    white = rng.uniform(*WHITE) * np.median(voxels[(voxels > 0) & ~tumour])
    window = np.clip(voxels / white, 0, 1) ** rng.uniform(0.8, 1.25)
    image = Image.fromarray(np.rint(255 * window).astype(np.uint8))
    mask = Image.fromarray(np.where(tumour, 255, 0).astype(np.uint8))
    angle, longer = rng.uniform(-12, 12), round(side * rng.uniform(*SIDES))
    size = longer, round(longer * rng.uniform(0.85, 1.0))
    return SlicePicture(
        image.rotate(angle, Image.Resampling.BICUBIC).resize(size, Image.Resampling.BICUBIC),
        mask.rotate(angle, Image.Resampling.NEAREST).resize(size, Image.Resampling.NEAREST),
    )
