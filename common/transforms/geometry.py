"""The brain's box in a volume, and the inverse into the volume's own space.

The working orientation is LPS, DICOM's axes: transposed on a screen, an axial slice is then shown as radiologists
expect it, and BraTS volumes, which are stored so, need no flip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from nibabel.orientations import apply_orientation, axcodes2ornt, io_orientation, ornt_transform

WORKING_ORIENTATION = "LPS"


@dataclass(frozen=True)
class BrainGeometry:
    """The brain's box within a volume.

    Args:
        shape: shape (x, y, z) of the whole volume in working orientation (LPS, or that of :func:`find_brain`).
        start: first voxel of the box along each axis.
        stop: one past the last voxel of the box along each axis.
        orientation: nibabel's orientation array, as tuples: for each stored axis its working axis and its direction.
        spacing: voxel size in mm along the working axes.
    """

    shape: tuple[int, ...]
    start: tuple[int, ...]
    stop: tuple[int, ...]
    orientation: tuple[tuple[int, int], ...]
    spacing: tuple[float, ...]

    @property
    def box(self) -> tuple[slice, ...]:
        """The box as an index into the volume in working orientation.

        Returns:
            One slice per axis.
        """
        return tuple(slice(first, end) for first, end in zip(self.start, self.stop, strict=True))

    def uncropped(self) -> BrainGeometry:
        """The whole volume as the box."""
        return replace(self, start=(0, 0, 0), stop=self.shape)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types.

        Returns:
            The fields by name; :meth:`from_dict` reads them.
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> BrainGeometry:
        """The inverse of :meth:`to_dict`, also after JSON."""
        orientation = tuple((int(axis), int(direction)) for axis, direction in content["orientation"])
        corners = {name: tuple(int(value) for value in content[name]) for name in ("shape", "start", "stop")}
        return cls(**corners, orientation=orientation, spacing=tuple(float(size) for size in content["spacing"]))

    def turn(self, stored: np.ndarray) -> np.ndarray:
        """A stored volume (x, y, z) in working orientation; a view."""
        return apply_orientation(stored, np.asarray(self.orientation, dtype=float))

    def whole(self, boxed: np.ndarray) -> np.ndarray:
        """Put values of the box (x, y, z) back into the whole volume in working orientation; zero outside the box."""
        volume = np.zeros(self.shape, dtype=boxed.dtype, order="F")
        volume[self.box] = boxed
        return volume

    def restore(self, boxed: np.ndarray) -> np.ndarray:
        """Put values of the box (x, y, z) back into the volume as it is stored; zero outside the box."""
        return self.turn_back(self.whole(boxed))

    def turn_back(self, turned: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`turn`; a view."""
        back = np.empty((3, 2))
        for stored, (working, direction) in enumerate(self.orientation):
            back[working] = (stored, direction)
        return apply_orientation(turned, back)


def orientation_of(affine: np.ndarray, target: str = WORKING_ORIENTATION) -> np.ndarray:
    """nibabel's orientation array (3, 2) that takes axes stored with ``affine`` to the axes ``target``."""
    return ornt_transform(io_orientation(affine), axcodes2ornt(tuple(target)))


def find_brain(
    channels: Sequence[np.ndarray], affine: np.ndarray, orientation: str = WORKING_ORIENTATION
) -> BrainGeometry | None:
    """The smallest box, in working orientation, that holds every voxel which is not zero in some channel.

    Args:
        channels: volumes of shape (x, y, z) as stored, background exactly zero.
        affine: their common affine (4, 4).
        orientation: the axes to work in.

    Returns:
        ``None`` when all channels are zero everywhere.
    """
    turn = orientation_of(affine, orientation)
    stored = [np.zeros(size, dtype=bool) for size in channels[0].shape]
    for channel in channels:  # as stored: turned views are many times slower
        occupied = channel != 0
        plane = occupied.any(axis=2)
        stored[0] |= plane.any(axis=1)
        stored[1] |= plane.any(axis=0)
        stored[2] |= occupied.any(axis=(0, 1))
    filled = [stored[place][:: int(turn[place, 1])] for place in np.argsort(turn[:, 0])]
    if not filled[0].any():
        return None
    sizes = np.linalg.norm(affine[:3, :3], axis=0)
    spacing = np.empty(3)
    spacing[turn[:, 0].astype(int)] = sizes
    return BrainGeometry(
        shape=tuple(len(axis) for axis in filled),
        start=tuple(int(axis.argmax()) for axis in filled),
        stop=tuple(len(axis) - int(axis[::-1].argmax()) for axis in filled),
        orientation=tuple((int(axis), int(direction)) for axis, direction in turn),
        spacing=tuple(float(size) for size in spacing),
    )


def cut_brain(stored: np.ndarray, geometry: BrainGeometry) -> np.ndarray:
    """The brain's box of a stored volume (x, y, z), in working orientation; a view."""
    return geometry.turn(stored)[geometry.box]
