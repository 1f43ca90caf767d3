"""A rule for small parts of a predicted tumour: islands are taken off, a trace of enhancement is taken for core."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import generate_binary_structure, label

from common.errors import KnobError, Problem
from common.transforms.cases import MILLILITRE

NCR, ET, CAVITY = 1, 3, 4

CONNECTED = generate_binary_structure(3, 3)
"""Voxels that share a corner belong together."""


@dataclass(frozen=True)
class ComponentRule:
    """What becomes of small parts of a segmentation.

    Args:
        smallest_component: ml; connected parts of the whole tumour that are smaller become background, but for the
            largest one, since every patient has a tumour. A resection cavity is no part of the tumour.
        smallest_et: ml; enhancing tumour that is smaller in all becomes necrotic core, as most entries of the BraTS
            challenges have it: a patient without ET in the truth has Dice 0 for a single voxel.

    Raises:
        KnobError: one of them is no number from 0 on.
    """

    smallest_component: float = 0.0
    smallest_et: float = 0.0

    def __post_init__(self) -> None:
        values = {"--smallest_component": self.smallest_component, "--smallest_et": self.smallest_et}
        hint = "Give millilitres, such as 0.5, or 0 to leave everything."
        is_number = {knob: isinstance(value, int | float) and 0 <= value < np.inf for knob, value in values.items()}
        problems = [Problem(f"{values[knob]!r} is no volume", knob, hint) for knob in values if not is_number[knob]]
        if problems:
            raise KnobError(problems)

    @property
    def name(self) -> str:
        """``islands under 0.5 ml, ET under 0.1 ml``, or ``none``."""
        parts = {"islands": self.smallest_component, "ET": self.smallest_et}
        return ", ".join(f"{part} under {limit:g} ml" for part, limit in parts.items() if limit) or "none"

    def apply(self, classes: np.ndarray, voxel_volume: float) -> np.ndarray:
        """The segmentation without its small parts.

        Args:
            classes: class indices of a whole volume, (x, y, z) in any order.
            voxel_volume: mm³.

        Returns:
            A copy of the same type.
        """
        kept = classes.copy()
        if self.smallest_component:
            parts, _ = label((classes > 0) & (classes != CAVITY), CONNECTED)
            sizes = np.bincount(parts.ravel())[1:] * voxel_volume / MILLILITRE
            small = sizes < self.smallest_component
            if small.any():
                small[sizes.argmax()] = False
                kept[np.concatenate([[False], small])[parts]] = 0
        enhancing = kept == ET
        if enhancing.sum() * voxel_volume / MILLILITRE < self.smallest_et:
            kept[enhancing] = NCR
        return kept


NONE = ComponentRule()

TRIED = (
    *(ComponentRule(smallest_component=limit) for limit in (0.1, 0.5, 1.0, 2.0)),
    *(ComponentRule(smallest_et=limit) for limit in (0.05, 0.2, 0.5)),
)
"""What an evaluation of the validation side compares."""
