"""The place of a phantom's tumour, and its mass effect on the brain around it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from common.phantoms.anatomy.noise import Floats
from common.phantoms.generative_rule import PhantomPatient

SPECK_MM = 1e-3


@dataclass(frozen=True)
class Seat:
    """The place of a tumour; its mass effect is a displacement outwards and a pressure.

    Args:
        centre: (3,) mm, in the head's coordinates.
        radius_mm: of a ball with the whole tumour's volume.
    """

    centre: Floats
    radius_mm: float

    def undo_push(self, points: Floats) -> Floats:
        """Where the tissue at ``points`` (3, n) lay before the tumour grew: up to a fifth of its radius nearer."""
        offset = points - self.centre[:, None]
        reach = np.float32(1.3 * self.radius_mm)
        squared = (offset**2).sum(axis=0) / reach**2
        return points - offset * np.exp(np.float32(0.5) - np.float32(0.5) * squared) / np.float32(7)

    def pressure(self, points: Floats) -> Floats:
        """From 1 at the centre to 0 far away: it closes sulci and narrows ventricles."""
        squared = ((points - self.centre[:, None]) ** 2).sum(axis=0)
        return np.exp(-squared / np.float32(1.5 * self.radius_mm**2))


def before_tumour(seat: Seat) -> Seat:
    """The same place without a tumour: nothing is displaced."""
    return Seat(seat.centre, SPECK_MM)


def choose_seat(rng: np.random.Generator, patient: PhantomPatient) -> Seat:
    """A place in the white matter of either hemisphere: temporal in 30 %, else frontal, parietal or occipital."""
    radius = (3 * 1000 * patient.volume_ml / (4 * math.pi)) ** (1 / 3)
    side = rng.choice([-1, 1])
    if rng.random() < 0.3:
        centre = [side * rng.uniform(34, 44), rng.uniform(-25, 20), rng.uniform(48, 58)]
    else:
        centre = [side * rng.uniform(22, 38), rng.uniform(-48, 52), rng.uniform(78, 108)]
    return Seat(np.array(centre, np.float32), radius)
