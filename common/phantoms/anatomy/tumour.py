"""The tumour of a phantom: nested enhancing core, solid or fluid middle and oedema, of given volumes.

Every compartment has a score at every voxel, in mm: how far the voxel lies within an irregular surface. The compartment
is made of the voxels with the highest scores, as many as its volume needs; the distance to the lowest score taken gives
its edge a partial volume.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.phantoms.anatomy.brain import Brain
from common.phantoms.anatomy.noise import Floats, blend, smooth_field
from common.phantoms.anatomy.seat import Seat
from common.phantoms.generative_rule import PhantomPatient

NECROSIS, OEDEMA, ENHANCING = 1, 2, 4
"""The values of BraTS 2018 to 2021's masks."""

FAR_MM = np.float32(1e4)


@dataclass(frozen=True)
class Tumour:
    """A tumour as lists over the ``n`` voxels of a :class:`Brain`.

    Args:
        labels: (n,) 0, 1 (non-enhancing core), 2 (oedema) or 4 (enhancing).
        whole: (n,) share of the voxel that is tumour.
        core: (n,) share that is tumour core.
        middle: (n,) share of that core which does not enhance.
        fluid: (n,) share of that middle which is fluid necrosis.
    """

    labels: NDArray[np.uint8]
    whole: Floats
    core: Floats
    middle: Floats
    fluid: Floats


def grow_tumour(rng: np.random.Generator, brain: Brain, patient: PhantomPatient, seat: Seat) -> Tumour:
    """Grow a tumour with the volume and shares of a patient, to a voxel or two.

    Args:
        rng: source of the randomness.
        brain: that it grows in.
        patient: whose tumour it is.
        seat: where it is.
    """
    near = np.flatnonzero(_distance(brain.points, seat.centre) < 2.5 * seat.radius_mm)
    points = brain.points[:, near]
    whole = _inmost(_whole_score(rng, brain, near, seat), round(1000 * patient.volume_ml / math.prod(brain.spacing)))
    is_whole = whole > 0
    depth = _core_score(rng, points, seat, patient) - 40 * brain.fluid[near]
    core = _inmost(depth, max(2, round(patient.core_share * is_whole.sum())), is_whole)
    is_core = is_whole & (core > 0)
    texture = smooth_field(rng, points, 9)
    rim = np.minimum(core, brain.depth[near]) + 2.5 * texture if patient.grade == "HGG" else -6 * texture
    middle = _inmost(rim, int(is_core.sum()) - _count(patient.enhancement, int(is_core.sum())), is_core)
    is_middle = is_core & (middle > 0)
    fluid = _inmost(depth - 2 * texture, _count(patient.necrosis, int(is_middle.sum())), is_middle)
    labels = np.select([is_middle, is_core, is_whole], [NECROSIS, ENHANCING, OEDEMA], 0).astype(np.uint8)
    edge = max(1.5, float(np.mean(brain.spacing)))
    shares = blend(whole, 2 * edge), blend(core, edge) * is_whole, blend(middle, edge), blend(fluid, 2 * edge)
    return Tumour(*(_spread(values, near, brain.inside.size) for values in (labels, *shares)))


def no_tumour(brain: Brain) -> Tumour:
    """A tumour without any voxel, for a healthy brain."""
    nothing = np.zeros(brain.inside.size, np.float32)
    return Tumour(np.zeros(brain.inside.size, np.uint8), nothing, nothing, nothing, nothing)


def _whole_score(rng: np.random.Generator, brain: Brain, near: NDArray[np.int64], seat: Seat) -> Floats:
    """Oedema follows the white matter in fingers, spares cortex and fluid, and hardly crosses to the other side."""
    points = brain.points[:, near]
    distance = _distance(points, seat.centre, stretch=rng.uniform(0.8, 1.25, 3))
    is_across = points[0] * seat.centre[0] < 0
    fingers = 0.30 * smooth_field(rng, points, 45) + 0.16 * smooth_field(rng, points, 18)
    barrier = 0.35 * brain.grey[near] + 2.5 * brain.fluid[near] + 0.6 * is_across + 3 * ~brain.is_supratentorial[near]
    return seat.radius_mm * (fingers - barrier) - distance


def _core_score(rng: np.random.Generator, points: Floats, seat: Seat, patient: PhantomPatient) -> Floats:
    radius = seat.radius_mm * patient.core_share ** (1 / 3)
    shift = rng.normal(0, 0.12 * seat.radius_mm, 3).astype(np.float32)
    lobes = 0.30 * smooth_field(rng, points, 32) + 0.13 * smooth_field(rng, points, 14)
    return radius * lobes - _distance(points, seat.centre + shift, stretch=rng.uniform(0.85, 1.2, 3))


def _distance(points: Floats, centre: Floats, stretch: NDArray[np.floating] | float = 1.0) -> Floats:
    offset = (points - centre[:, None]) * np.broadcast_to(np.asarray(stretch, np.float32), 3)[:, None]
    return np.sqrt((offset**2).sum(axis=0))


def _count(share: float, total: int) -> int:
    """A share of voxels: none only where the share is 0, and never all."""
    return min(max(round(share * total), 1 if share > 0 else 0), total - 1)


def _inmost(score: Floats, count: int, among: NDArray[np.bool_] | None = None) -> Floats:
    """How far each score lies above the highest that is left out: positive for ``count`` of the places ``among``.

    Scores that equal that one are left out too. Other places are measured against the same score.
    """
    candidates = score if among is None else score[among]
    if not 0 < count < candidates.size:
        return np.full_like(score, FAR_MM if count > 0 else -FAR_MM)
    left_out = candidates.size - 1 - count
    return score - np.partition(candidates, left_out)[left_out]


def _spread(values: NDArray, near: NDArray[np.int64], size: int) -> NDArray:
    """``values`` at the places ``near`` of a list of ``size`` zeros."""
    spread = np.zeros(size, values.dtype)
    spread[near] = values
    return spread
