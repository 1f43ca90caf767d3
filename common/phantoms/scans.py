"""The four scans of a phantom: tissue contrast, bias field and noise of each modality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from common.phantoms.anatomy.brain import Brain, grow_brain
from common.phantoms.anatomy.noise import Floats, blend, smooth_field
from common.phantoms.anatomy.seat import before_tumour, choose_seat
from common.phantoms.anatomy.tumour import Tumour, grow_tumour, no_tumour
from common.phantoms.generative_rule import PhantomPatient, draw_patient, random_stream
from common.records import MODALITIES


@dataclass(frozen=True)
class Contrast:
    """Brightness of each tissue in one modality, as a multiple of white matter's in T1.

    Args:
        fluid: cerebrospinal fluid.
        grey: grey matter.
        white: white matter.
        oedema: around the core.
        enhancing: part of the core.
        solid: part of the core that does not enhance.
        necrosis: fluid part of the core.
        vessel: veins and sinus.
    """

    fluid: float
    grey: float
    white: float
    oedema: float
    enhancing: float
    solid: float
    necrosis: float
    vessel: float


CONTRASTS = {
    "flair": Contrast(0.42, 1.02, 0.90, 1.75, 1.60, 1.60, 1.20, 0.80),
    "t1": Contrast(0.38, 0.74, 1.00, 0.78, 0.76, 0.68, 0.55, 0.70),
    "t1ce": Contrast(0.42, 0.84, 1.00, 0.82, 1.70, 0.72, 0.52, 2.00),
    "t2": Contrast(2.40, 1.22, 0.90, 1.60, 1.45, 1.75, 2.05, 1.00),
}


@dataclass(frozen=True)
class PhantomSubject:
    """A phantom patient with the scans.

    Args:
        patient: all values of the generative rule: grade, age, survival and so on.
        modalities: int16 volumes (x, y, z) under the names of :data:`~common.records.MODALITIES`; 0 outside
            the brain and at least 1 in it.
        mask: uint8 (x, y, z) with 0, 1 (necrotic or non-enhancing core), 2 (oedema) and 4 (enhancing tumour).
        spacing: what a voxel spans of the full-size head, mm: 1 at the default shape.
        level: the axial slice through the seat of the tumour, or where it would be seated in a healthy brain.
    """

    patient: PhantomPatient
    modalities: dict[str, NDArray[np.int16]]
    mask: NDArray[np.uint8]
    spacing: tuple[float, float, float]
    level: int


def phantom_subject(
    seed: int,
    index: int,
    shape: tuple[int, int, int] = (240, 240, 155),
    lgg_share: float = 0.3,
    healthy: bool = False,
) -> PhantomSubject:
    """A phantom patient with its scans.

    A function of its arguments alone: on one machine, the same call gives the same bytes. The head fills every shape as
    it fills the volumes of BraTS.

    Args:
        seed: of the cohort.
        index: of the patient in it.
        shape: voxels along x, y and z.
        lgg_share: share of the patients whose grade is LGG.
        healthy: the same head before the tumour.
    """
    patient = draw_patient(seed, index, lgg_share)
    seat = choose_seat(random_stream(seed, index, "seat"), patient)
    brain = grow_brain(random_stream(seed, index, "brain"), shape, before_tumour(seat) if healthy else seat)
    tumour = no_tumour(brain) if healthy else grow_tumour(random_stream(seed, index, "tumour"), brain, patient, seat)
    scans = _scan(random_stream(seed, index, "scan"), brain, tumour)
    return PhantomSubject(
        patient=patient,
        modalities={name: _to_volume(scans[name], brain) for name in MODALITIES},
        mask=_to_volume(tumour.labels, brain),
        spacing=brain.spacing,
        level=int(brain.inside[np.abs(brain.points[2] - seat.centre[2]).argmin()] % shape[2]),
    )


def _scan(rng: np.random.Generator, brain: Brain, tumour: Tumour) -> dict[str, NDArray[np.int16]]:
    """(n,) intensities of each modality."""
    vessel = _vessels(rng, brain)
    coil = smooth_field(rng, brain.points, 150)
    texture = smooth_field(rng, brain.points, 8)
    scans = {}
    for name, contrast in CONTRASTS.items():
        signal = _signal(contrast, brain, tumour, vessel)
        signal *= 1 + texture * (np.float32(0.025) + np.float32(0.06) * tumour.whole)
        signal *= 1 + np.float32(rng.normal(0, 0.06)) * coil
        brightness = 330 * np.exp(rng.normal(0, 0.4))
        noisy = brightness * _with_noise(rng, signal, sigma=rng.uniform(0.025, 0.05))
        scans[name] = np.clip(np.rint(noisy), 1, 32767).astype(np.int16)
    return scans


def _signal(contrast: Contrast, brain: Brain, tumour: Tumour, vessel: Floats) -> Floats:
    """Noise-free brightness: each compartment of the tumour covers the tissue that it grew in."""
    signal = contrast.fluid * brain.fluid + contrast.grey * brain.grey + contrast.white * brain.white
    middle = contrast.solid + (contrast.necrosis - contrast.solid) * tumour.fluid
    core = contrast.enhancing + (middle - contrast.enhancing) * tumour.middle
    oedema_share = np.float32(0.9) * tumour.whole * (1 - brain.fluid)
    for brightness, share in ((contrast.vessel, vessel), (contrast.oedema, oedema_share), (core, tumour.core)):
        signal += (brightness - signal) * share
    return signal


def _vessels(rng: np.random.Generator, brain: Brain) -> Floats:
    """Share of each voxel that is a vessel: cortical veins in the sulci, and the sinus along the midline's rim."""
    course = np.abs(smooth_field(rng, brain.points, 22))
    veins = blend(0.12 - course, 0.15) * brain.fluid * blend(12 - brain.depth, 6)
    x, y, z = brain.points
    is_rim = (brain.depth < 2.5) & ((z > 90) | (y > 60)) & (z > 45)
    sinus = is_rim * blend(np.float32(2.5) - np.abs(x), 2.5)
    return np.maximum(0.8 * veins, sinus).astype(np.float32)


def _with_noise(rng: np.random.Generator, signal: Floats, sigma: float) -> Floats:
    """Rician: the magnitude of a complex signal with noise in both parts."""
    parts = np.float32(sigma) * rng.standard_normal((2, signal.size), dtype=np.float32)
    return np.hypot(signal + parts[0], parts[1])


def _to_volume(values: NDArray, brain: Brain) -> NDArray:
    volume = np.zeros(brain.shape, values.dtype)
    volume.reshape(-1)[brain.inside] = values
    return volume
