"""The brain of a phantom: which voxels it fills, and how much of each is fluid, grey or white matter.

Everything is computed at the brain's voxels only, in millimetres of a standard head: x from the midline (increases
towards the patient's left), y backwards from the middle of the brain, z upwards from its lowest slice. Shapes are
distances to surfaces, so that every edge has a partial volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.phantoms.anatomy.cortex import distance_to_sulci
from common.phantoms.anatomy.noise import Floats, blend, smooth_field
from common.phantoms.anatomy.outline import brain_parts, hull, near_brain, voxel_spacing
from common.phantoms.anatomy.seat import Seat

CORTEX_MM = 3.2

VENTRICLES = (  # of one side: two ends of a tube, (|x|, y, z), and its radius, mm
    ((6, -33, 79), (7, -18, 88), 5.5),
    ((7, -18, 88), (9, 12, 95), 5.5),
    ((9, 12, 95), (23, 34, 82), 6.0),
    ((23, 34, 82), (24, 54, 74), 4.0),
    ((23, 34, 82), (33, 12, 56), 3.0),
    ((33, 12, 56), (30, -10, 48), 2.5),
)
NUCLEI = (  # of one side: centre (|x|, y, z) and half axes, mm
    ((10, 8, 79), (9, 15, 9)),  # thalamus
    ((14, -22, 84), (5, 10, 10)),  # head of the caudate
    ((26, -6, 74), (6.5, 17, 10)),  # putamen and pallidum
)


@dataclass(frozen=True)
class Brain:
    """A brain as lists of its ``n`` voxels.

    Args:
        shape: of the volume that holds it.
        spacing: what a voxel spans of the head, mm.
        inside: (n,) flat indices of the brain's voxels in the volume.
        points: (3, n) where they lie, mm from the head's centre.
        depth: (n,) mm below the brain's surface.
        fluid: (n,) share of cerebrospinal fluid; the three shares sum to 1.
        grey: (n,) share of grey matter.
        white: (n,) share of white matter.
        is_supratentorial: (n,) neither cerebellum nor brain stem.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    inside: NDArray[np.int64]
    points: Floats
    depth: Floats
    fluid: Floats
    grey: Floats
    white: Floats
    is_supratentorial: NDArray[np.bool_]


def grow_brain(rng: np.random.Generator, shape: tuple[int, int, int], seat: Seat) -> Brain:
    """A brain of random outline, folds and ventricles, displaced by a tumour.

    Args:
        rng: source of the randomness.
        shape: of the volume that holds it.
        seat: where the tumour is.
    """
    spacing = voxel_spacing(shape)
    size = rng.uniform(0.96, 1.04, 3).astype(np.float32)
    inside, points = near_brain(shape, spacing, size)
    points = points / size[:, None]
    outline = 2.0 * smooth_field(rng, points, 50) + 0.7 * smooth_field(rng, points, 14)
    is_inside = hull(brain_parts(points)) + outline > 0
    inside, points = inside[is_inside], points[:, is_inside]
    standard = seat.undo_push(points)
    standard = standard + np.stack([2.0 * smooth_field(rng, standard, 70) for _ in range(3)])
    cerebrum, cerebellum, stem = brain_parts(points) + outline[is_inside]
    closing = 3 * seat.pressure(points)
    edge_mm = max(1.2, float(np.mean(spacing)))
    fluid, grey = _tissues(rng, standard, (cerebrum, cerebellum, stem), closing, edge_mm)
    return Brain(
        shape=shape,
        spacing=spacing,
        inside=inside,
        points=points,
        depth=hull((cerebrum, cerebellum, stem)),
        fluid=fluid,
        grey=grey * (1 - fluid),
        white=(1 - grey) * (1 - fluid),
        is_supratentorial=(cerebrum > cerebellum) & (cerebrum > stem),
    )


def _tissues(
    rng: np.random.Generator, points: Floats, parts: tuple[Floats, Floats, Floats], closing: Floats, edge_mm: float
) -> tuple[Floats, Floats]:
    """Shares of fluid, and of grey matter in what is not fluid; the edges of the fluid move back by ``closing`` mm."""
    cerebrum, cerebellum, stem = parts
    rest = np.maximum(cerebellum, stem)
    cleft = np.minimum(cerebrum, (cerebrum - rest) / 2 + np.maximum(points[2] - 55, 0))
    to_fluid = distance_to_sulci(rng, points, cleft) + closing
    grey = blend(CORTEX_MM - to_fluid, edge_mm)
    nuclei = np.max([_ellipsoid(points, *nucleus) for nucleus in NUCLEI], axis=0)
    grey = np.maximum(grey, 0.75 * blend(nuclei, edge_mm + 1))
    below, below_grey = _hindbrain(rng, points, np.maximum(cerebellum, stem), cerebellum > stem, edge_mm)
    is_below = rest > cerebrum
    fluid = np.where(is_below, below, blend(-to_fluid, edge_mm))
    grey = np.where(is_below, below_grey, grey).astype(np.float32)
    ventricles = np.max([_tube(points, *tube) for tube in VENTRICLES], axis=0) + rng.uniform(-1.5, 1.5) - closing
    ventricles = np.maximum(ventricles, _ellipsoid(points, (0, 4, 72), (2.2, 14, 10)))
    ventricles = np.maximum(ventricles, _ellipsoid(points, (0, -10, 53), (10, 9, 6)))
    ventricles = np.maximum(ventricles, _ellipsoid(points, (0, 30, 32), (7, 4, 9)))
    return np.maximum(fluid, blend(ventricles, edge_mm)), grey


def _hindbrain(
    rng: np.random.Generator, points: Floats, depth: Floats, is_cerebellum: NDArray[np.bool_], edge_mm: float
) -> tuple[Floats, Floats]:
    """Shares of fluid and grey matter in the cerebellum, with its leaves, and in the brain stem."""
    rings = np.sqrt(points[1] ** 2 * 0.3 + (points[2] - 34) ** 2 * 1.3 + (0.3 * points[0]) ** 2)
    leaves = 0.5 + 0.5 * np.cos(2 * np.pi / 5.5 * (rings + 2.5 * smooth_field(rng, points, 25)))
    is_bark = is_cerebellum * blend(12 - depth, 4)
    sharpness = min(1.0, 2.0 / edge_mm)
    fluid = np.maximum(blend(1 - depth, edge_mm), 0.3 * sharpness * is_bark * leaves**3)
    return fluid, np.maximum(is_bark * (0.45 + 0.5 * leaves * sharpness), np.float32(0.25) * ~is_cerebellum)


def _tube(points: Floats, start: tuple[float, float, float], end: tuple[float, float, float], radius: float) -> Floats:
    """Depth in a tube with round ends, mirrored on the midline."""
    mirrored = np.stack([np.abs(points[0]), points[1], points[2]])
    origin = np.array(start, np.float32)[:, None]
    axis = np.array(end, np.float32)[:, None] - origin
    along = np.clip(((mirrored - origin) * axis).sum(axis=0) / (axis**2).sum(), 0, 1)
    return radius - np.sqrt(((mirrored - origin - along * axis) ** 2).sum(axis=0))


def _ellipsoid(points: Floats, centre: tuple[float, float, float], half_axes: tuple[float, float, float]) -> Floats:
    """Depth in an ellipsoid, mirrored on the midline, mm."""
    x, y, z = np.abs(points[0]) - centre[0], points[1] - centre[1], points[2] - centre[2]
    reach = np.sqrt((x / half_axes[0]) ** 2 + (y / half_axes[1]) ** 2 + (z / half_axes[2]) ** 2)
    return min(half_axes) * (1 - reach)
