"""One volume per patient: the brain alone, one voxel size, one shape, intensities from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.cohorts.checks import AFFINE_TOLERANCE
from common.errors import DatasetError, KnobError, Problem
from common.formats.volumes import read_volume
from common.transforms.background import with_zero_background
from common.transforms.intensity import scale_in_brain
from common.transforms.volumes.grid import ResampledGrid, plan_grid

SIZE = (80, 96, 80)
"""At 2 mm 160 x 192 x 160 mm: the largest brains of BraTS reach 146 x 179 x 146 mm."""

SPACING = 2.0
"""In mm (P4)."""


@dataclass(frozen=True)
class VolumePlan:
    """The voxels that every volume is brought to.

    Args:
        size: how many along x, y and z of LPS.
        spacing: mm along each of them.

    Raises:
        KnobError: with every value that has no meaning.
    """

    size: tuple[int, int, int] = SIZE
    spacing: float = SPACING

    def __post_init__(self) -> None:
        problems = []
        if not _is_size(self.size):
            shown = list(self.size) if isinstance(self.size, tuple) else self.size
            hint = "Give three whole numbers above 0, such as [80, 96, 80]."
            problems.append(Problem(f"{shown} is no size of a volume", "--volume_size", hint))
        if not (_is_number(self.spacing) and self.spacing > 0 and math.isfinite(self.spacing)):
            problems.append(Problem(f"{self.spacing} mm is no voxel size", "--volume_spacing", "Use a number above 0."))
        if problems:
            raise KnobError(problems)

    @classmethod
    def read(cls, size: Any, spacing: Any) -> VolumePlan:
        """From the knobs of a config or a command line.

        Raises:
            KnobError: with every value that has no meaning.
        """
        lengths = tuple(size) if isinstance(size, Sequence) and not isinstance(size, str) else size
        return cls(lengths, float(spacing) if _is_number(spacing) else spacing)


def _is_size(value: Any) -> bool:
    lengths = value if isinstance(value, tuple) else ()
    return len(lengths) == 3 and all(
        _is_number(length) and length >= 1 and float(length).is_integer() for length in lengths
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def take_volume(
    channels: Sequence[np.ndarray],
    affine: np.ndarray,
    brain_mask: str | None,
    plan: VolumePlan,
    subject: str,
) -> tuple[NDArray[np.float16], ResampledGrid]:
    """Cut a patient's brain out of the background, scale its intensities and bring it to the grid of all volumes.

    Intensities are scaled channel by channel, the 0.5 and 99.5 percentiles of the whole brain to 0 and 1, before
    anything is resampled: single voxels may lie orders of magnitude above the rest.

    Args:
        channels: one volume (x, y, z) per modality, as stored.
        affine: (4, 4), of them all.
        brain_mask: path of a volume on the same grid, whose voxels other than zero are brain; ``None`` where
            ``channels`` show nothing but the brain.
        plan: the voxels to bring them to.
        subject: name of the patient, for messages.

    Returns:
        float16 (channel, x, y, z) in LPS, background zero; and the grid, for the inverse.

    Raises:
        DatasetError: the mask is damaged, or on another grid; or no voxel is brain.
    """
    if brain_mask is None:
        channels = with_zero_background(channels, subject)
        brain = np.any([channel != 0 for channel in channels], axis=0)
    else:
        brain = _read_mask(brain_mask, channels[0].shape, affine, subject)
    if not brain.any():
        what = "every voxel is zero" if brain_mask is None else f"every voxel of {Path(brain_mask).name} is zero"
        raise DatasetError(Problem(what, subject, "Leave the patient out with --exclude."))
    grid = plan_grid(brain, affine, plan.size, plan.spacing)
    volume = np.stack([grid.sample(scale_in_brain(channel, brain)) for channel in channels])
    return volume.astype(np.float16), grid


def _read_mask(path: str, shape: tuple[int, ...], affine: np.ndarray, subject: str) -> NDArray[np.bool_]:
    """Which voxels are brain, by any file of labels on the grid of the image."""
    mask = read_volume(path)
    voxels = mask.array[..., 0] if mask.array.ndim == 4 and mask.array.shape[-1] == 1 else mask.array
    if voxels.shape != shape or not np.allclose(mask.affine, affine, rtol=0, atol=AFFINE_TOLERANCE):
        what = f"the brain mask {Path(path).name} does not lie on the grid of the image"
        raise DatasetError(Problem(what, subject, "Resample the mask to the image, or make a new one."))
    return voxels != 0
