"""A few whole axial slices, a fixed distance apart: P1's 2.5-D input (section 2.2, figure 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.errors import DatasetError, KnobError, Problem
from common.transforms.background import with_zero_background
from common.transforms.geometry import BrainGeometry, cut_brain, find_brain
from common.transforms.intensity import z_score_in_brain

INTENSITIES = ("z_score", "clip")
CENTRES = ("brain", "volume")
ORIENTATIONS = ("RAS", "LAS", "RPS", "LPS")
"""All have slices along their third axis, counted upwards."""

CLIP_RANGE = (-1000.0, 800.0)
"""P1, section 2.2: Hounsfield units, which MR does not have; bright voxels are clipped."""


@dataclass(frozen=True)
class SlicePlan:
    """Which slices are taken of a volume, and how their intensities are scaled.

    Args:
        gap: millimetres between neighbouring slices.
        centre: millimetres from the centre to the middle of the slices, upwards (towards superior).
        count: how many slices; with an even number the middle lies between two of them.
        intensity: ``z_score`` within the whole brain, background zero; ``clip`` to [-1000, 800] and scale to [0, 1]
            as published, which takes the background to 0.5556.
        orientation: axes (x, y, z) of the slices.
        centre_of: ``brain`` for the middle of its box, or ``volume`` for the middle of the image, the published one.

    Raises:
        KnobError: with every value that has no meaning.
    """

    gap: float = 30.0
    centre: float = 0.0
    count: int = 3
    intensity: str = "z_score"
    orientation: str = "RAS"
    centre_of: str = "brain"

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{value!r} is no choice", f"--{knob}", f"Choose one of: {', '.join(choices)}.")
            for knob, value, choices in (
                ("intensity", self.intensity, INTENSITIES),
                ("orientation", self.orientation, ORIENTATIONS),
                ("centre_of", self.centre_of, CENTRES),
            )
            if value not in choices
        ]
        if self.count < 1 or self.count != int(self.count):
            problems.append(Problem(f"{self.count} slices cannot be taken", "--slice_count", "Take 1 or more."))
        if not (self.gap > 0 and math.isfinite(self.gap)):
            what = f"slices cannot lie {self.gap} mm apart"
            problems.append(Problem(what, "--slice_gap", "Choose a distance above 0 mm."))
        if not math.isfinite(self.centre):
            problems.append(Problem(f"{self.centre} mm is no place", "--slice_centre", "Choose a distance in mm."))
        if problems:
            raise KnobError(problems)

    @property
    def offsets(self) -> list[float]:
        """Of each slice from the centre, in millimetres upwards, lowest first."""
        return [self.centre + (index - (self.count - 1) / 2) * self.gap for index in range(self.count)]


def take_slices(
    channels: Sequence[np.ndarray], affine: np.ndarray, plan: SlicePlan, subject: str
) -> tuple[np.ndarray, list[int], BrainGeometry]:
    """Cut whole axial slices out of a patient's volumes and scale their intensities.

    Args:
        channels: one volume (x, y, z) per modality, as stored.
        affine: (4, 4), of them all.
        plan: which slices, and how.
        subject: name of the patient, for messages.

    Returns:
        float16 (modality, slice, y, x); the slices' indices along z in the plan's orientation; the brain's box there.

    Raises:
        DatasetError: there is no background, every voxel is zero, or slices lie outside the brain (outside the volume
            where the plan counts from its centre).
    """
    channels = with_zero_background(channels, subject)
    geometry = find_brain(channels, affine, plan.orientation)
    if geometry is None:
        raise DatasetError(Problem("every voxel is zero", subject, "Leave the patient out with --exclude."))
    positions = slice_positions(geometry, plan, subject)
    cut = _clip if plan.intensity == "clip" else _z_score
    return np.stack([cut(channel, geometry, positions) for channel in channels]), positions, geometry


def slice_positions(geometry: BrainGeometry, plan: SlicePlan, subject: str) -> list[int]:
    """The slices' indices along z; see :func:`take_slices`.

    Args:
        geometry: the brain's box.
        plan: which slices.
        subject: name of the patient, for messages.
    """
    of_brain = plan.centre_of == "brain"
    first, end = (geometry.start[2], geometry.stop[2]) if of_brain else (0, geometry.shape[2])
    middle, size = (first + end - 1) / 2, geometry.spacing[2]
    # Halves are always rounded up, so that slices between two voxels keep their distance.
    positions = [math.floor(round(middle + offset / size, 6) + 0.5) for offset in plan.offsets]
    outside = [
        f"{offset:+g}" for offset, position in zip(plan.offsets, positions, strict=True) if not first <= position < end
    ]
    if outside:
        reach = (end - first) / 2 * size
        what = (
            f"slices at {', '.join(outside)} mm from the centre of the {plan.centre_of} lie outside it "
            f"(it reaches {reach:.0f} mm up and down)"
        )
        raise DatasetError(Problem(what, subject, "Lower --slice_gap, or move --slice_centre."))
    return positions


def _z_score(channel: np.ndarray, geometry: BrainGeometry, positions: Sequence[int]) -> np.ndarray:
    """Z-scores within the whole brain, of the slices at ``positions``: float16 (slice, y, x)."""
    width, height, _ = geometry.shape
    planes = np.zeros((len(positions), height, width), dtype=np.float16)
    box_x, box_y, box_z = geometry.box
    inside = [row for row, position in enumerate(positions) if box_z.start <= position < box_z.stop]
    wanted = [positions[row] - box_z.start for row in inside]
    planes[inside, box_y, box_x] = z_score_in_brain(cut_brain(channel, geometry).T, planes=wanted)
    return planes


def _clip(channel: np.ndarray, geometry: BrainGeometry, positions: Sequence[int]) -> np.ndarray:
    """The published scaling of the slices at ``positions``: float16 (slice, y, x)."""
    low, high = CLIP_RANGE
    planes = geometry.turn(channel).T[list(positions)].astype(np.float32)
    return ((np.clip(planes, low, high) - np.float32(low)) / np.float32(high - low)).astype(np.float16)
