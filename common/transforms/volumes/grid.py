"""A grid of equal voxels and one size around the brain, and the inverse to the voxels of the file.

Volumes are turned to LPS and resampled along each axis on its own, so that a volume that has the wanted voxels already
is only cropped. How a scanner was tilted is left as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.transforms.geometry import BrainGeometry, find_brain

ROUNDING = 6
"""Decimals of a voxel: affines in single precision have 0.9999999 for 1."""


@dataclass(frozen=True)
class ResampledGrid:
    """Voxels of ``spacing`` mm, ``size`` of them along each axis of LPS, over a volume as it is stored.

    Args:
        size: voxels along x, y and z.
        spacing: their size in mm along the same axes.
        first: the centre of the first voxel, in voxels of the turned volume along the same axes.
        brain: the brain's box in the turned volume; it also has the stored orientation.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    first: tuple[float, ...]
    brain: BrainGeometry

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types.

        Returns:
            The fields by name; :meth:`from_dict` reads them.
        """
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ResampledGrid:
        """The inverse of :meth:`to_dict`."""
        return cls(
            size=tuple(int(size) for size in content["size"]),
            spacing=tuple(float(size) for size in content["spacing"]),
            first=tuple(float(place) for place in content["first"]),
            brain=BrainGeometry.from_dict(content["brain"]),
        )

    @property
    def steps(self) -> tuple[float, ...]:
        """Distance of neighbouring voxels.

        Returns:
            In voxels of the turned volume, one per axis.
        """
        return tuple(_step(wanted, stored) for wanted, stored in zip(self.spacing, self.brain.spacing, strict=True))

    @property
    def cut(self) -> bool:
        """Whether more than half a stored voxel of the brain's box lies outside along some axis."""
        edges = [
            (first - step / 2, first + (size - 0.5) * step)
            for first, size, step in zip(self.first, self.size, self.steps, strict=True)
        ]
        return any(
            start < low or stop - 1 > high
            for start, stop, (low, high) in zip(self.brain.start, self.brain.stop, edges, strict=True)
        )

    def sample(self, stored: np.ndarray) -> NDArray[np.float32]:
        """A volume (x, y, z) as it is stored on this grid, ``size``; zero where the volume does not reach."""
        places = [
            first + step * np.arange(size) for first, step, size in zip(self.first, self.steps, self.size, strict=True)
        ]
        return resample(self.brain.turn(stored), places, self.steps)

    def restore(self, sampled: np.ndarray) -> NDArray[np.float32]:
        """Values (x, y, z) of this grid over the volume as it is stored; zero where the grid does not reach."""
        places = [
            (np.arange(length) - first) / step
            for first, step, length in zip(self.first, self.steps, self.brain.shape, strict=True)
        ]
        turned = resample(sampled, places, [1 / step for step in self.steps])
        return self.brain.turn_back(turned)


def plan_grid(brain: NDArray[np.bool_], affine: np.ndarray, size: Sequence[int], spacing: float) -> ResampledGrid:
    """The grid whose middle is the middle of the brain's box, to half a stored voxel.

    Its outer corner lies on the corner of a stored voxel: where both kinds of voxels have one size, none is
    interpolated.

    Args:
        brain: which voxels are brain, (x, y, z) as stored.
        affine: (4, 4), of the file.
        size: voxels along x, y and z in LPS.
        spacing: mm between them.

    Raises:
        ValueError: there is no brain.
    """
    box = find_brain([brain], affine)
    if box is None:
        raise ValueError("no voxel is brain")
    first = []
    for start, stop, length, stored in zip(box.start, box.stop, size, box.spacing, strict=True):
        step = _step(spacing, stored)
        corner = (start + stop - length * step) / 2
        first.append(float(np.floor(round(corner, ROUNDING) + 0.5) + (step - 1) / 2))
    return ResampledGrid(tuple(int(length) for length in size), (float(spacing),) * 3, tuple(first), box)


def resample(volume: np.ndarray, places: Sequence[NDArray[np.floating]], steps: Sequence[float]) -> NDArray[np.float32]:
    """Linear interpolation at ``places``, which averages as many voxels as lie between two of them.

    Args:
        volume: (x, y, z).
        places: indices along each axis.
        steps: distance of neighbouring places, in voxels; above 1 there is averaging (antialiasing).

    Returns:
        A value for each combination of places, beyond the volume zero.
    """
    result = np.asarray(volume, dtype=np.float32)
    for axis, (centres, step) in enumerate(zip(places, steps, strict=True)):
        weights = _weights(result.shape[axis], centres, step)
        result = np.moveaxis(np.tensordot(weights, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result)


def _step(wanted: float, stored: float) -> float:
    return round(wanted / stored, ROUNDING)


def _weights(length: int, centres: NDArray[np.floating], step: float) -> NDArray[np.float32]:
    """(place, voxel): triangular weights as wide as a step on either side, at least a voxel; their sum inside is 1."""
    width = max(1.0, step)
    reach = int(np.ceil(width))
    around = np.floor(centres)[:, None] + np.arange(-reach, reach + 2)
    tent = np.clip(1 - np.abs(around - np.asarray(centres)[:, None]) / width, 0, None)
    tent /= tent.sum(axis=1, keepdims=True)
    weights = np.zeros((len(centres), length), dtype=np.float32)
    inside = (around >= 0) & (around < length)
    row = np.broadcast_to(np.arange(len(centres))[:, None], around.shape)
    weights[row[inside], around[inside].astype(int)] = tent[inside]
    return weights
