"""Colours that stand for classes are told apart by who is colour-blind, simulated after Machado et al. 2009."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from common.reports.classification.curves import CLASS_COLOURS
from common.reports.pictures import REGION_COLOURS

SEEN = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
"""Matrices of linear RGB at severity 1, Machado, Oliveira & Fernandes, IEEE TVCG 15 (2009), 1291-1298."""

TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
LEAST = 30
"""CIE76 of two colours that differ at a glance, also when they lie half transparent over a grey image."""


def lab(colour: str, seen: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """CIELAB of ``#rrggbb`` as somebody sees it."""
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ np.clip(np.asarray(seen) @ linear, 0, 1) / WHITE, 1e-6))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", SEEN)
@pytest.mark.parametrize("colours", [tuple(REGION_COLOURS.values()), CLASS_COLOURS[:3]], ids=["regions", "classes"])
def test_any_two_colours_differ(kind: str, colours: tuple[str, ...]) -> None:
    distances = {
        (one, other): float(np.linalg.norm(lab(one, SEEN[kind]) - lab(other, SEEN[kind])))
        for one, other in combinations(colours, 2)
    }
    assert min(distances.values()) > LEAST, distances


def test_the_simulation_finds_what_could_not_be_told_apart() -> None:
    """The colours of before: necrosis and oedema under deuteranopia, the second and third class under protanopia."""
    for kind, one, other in (("deuteranopia", "#d7263d", "#2ca02c"), ("protanopia", "#ff7f0e", "#2ca02c")):
        assert np.linalg.norm(lab(one, SEEN[kind]) - lab(other, SEEN[kind])) < LEAST
        assert np.linalg.norm(lab(one, SEEN["all cones"]) - lab(other, SEEN["all cones"])) > LEAST
