"""P1's figures of a patient: the four sequences, where its three slices lie, and these slices of T2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from nibabel.orientations import apply_orientation

from common.errors import DatasetError
from common.formats.volumes import read_volume
from common.records import MODALITIES, Record
from common.reports.pictures import cut_plane, show_slice
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure
from common.transforms.geometry import find_brain, orientation_of
from common.transforms.slices.plan import SlicePlan, slice_positions

HEIGHT = 90 / 155
"""Of the slice of figure 1 ("at 90mm") in a volume of BraTS, which is 155 mm high."""

PUBLISHED_SLICES = SlicePlan(orientation="LPS", centre_of="volume")


@dataclass(frozen=True)
class _Patient:
    """A patient's volumes (x, y, z) in LPS under their sequences, and the third indices of the three slices, if any."""

    volumes: dict[str, np.ndarray]
    positions: list[int]


def draw_sequences(plan: PaperFigure, material: Material) -> Figure | None:
    """The same axial slice of the four sequences of the first patient who has them all."""
    patient = _first_patient(material)
    if patient is None:
        return None
    figure = Figure(figsize=(2.6 * len(MODALITIES), 2.9), layout="constrained")
    for axes, (name, volume) in zip(figure.subplots(1, len(MODALITIES)), patient.volumes.items(), strict=True):
        show_slice(axes, cut_plane(volume, 2, round(HEIGHT * volume.shape[2])), None)
        axes.set_title(name, fontsize=10)
    return figure


def draw_slice_places(plan: PaperFigure, material: Material) -> Figure | None:
    """The three slices as lines on the sagittal and the coronal plane through the middle of a T2 volume."""
    patient = _first_patient(material)
    if patient is None or not patient.positions:
        return None
    volume = patient.volumes["t2"]
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    for axes, (name, axis) in zip(figure.subplots(1, 2), (("sagittal", 0), ("coronal", 1)), strict=True):
        show_slice(axes, cut_plane(volume, axis, volume.shape[axis] // 2), None)
        for position in patient.positions:
            axes.axhline(volume.shape[2] - 1 - position, color="#d7263d", linewidth=1.2)
        axes.set_title(name, fontsize=10)
    return figure


def draw_three_slices(plan: PaperFigure, material: Material) -> Figure | None:
    """The three slices of T2, the lowest first."""
    patient = _first_patient(material)
    if patient is None or not patient.positions:
        return None
    figure = Figure(figsize=(8, 3), layout="constrained")
    for axes, position in zip(figure.subplots(1, 3), patient.positions, strict=True):
        show_slice(axes, cut_plane(patient.volumes["t2"], 2, position), None)
        axes.set_title(f"slice {position}", fontsize=10)
    return figure


def _first_patient(material: Material) -> _Patient | None:
    record = next((record for record in material.records if all(record.get(name) for name in MODALITIES)), None)
    return None if record is None else _read(record)


def _read(record: Record) -> _Patient | None:
    found = {name: read_volume(str(record.get(name))) for name in MODALITIES}
    affine = found["t2"].affine
    geometry = find_brain([volume.array for volume in found.values()], affine, PUBLISHED_SLICES.orientation)
    if geometry is None:  # every voxel is zero
        return None
    volumes = {name: apply_orientation(volume.array, orientation_of(affine)) for name, volume in found.items()}
    try:
        positions = slice_positions(geometry, PUBLISHED_SLICES, str(record["subject"]))
    except DatasetError:  # the volume is less than 60 mm high
        positions = []
    return _Patient(volumes, positions)
