"""Heat maps of several networks on one image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from common.reports.pictures import draw_picture_grad_cams
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure

HEAT_MAPS = "heat_maps.npz"
""":func:`common.handlers.grad_cam.write_heat_maps` writes it."""


def draw_heat_maps(plan: PaperFigure, material: Material) -> Figure | None:
    """A picture of a class, and over it the Grad-CAM of each network, of the first split.

    Of the images that all networks have a map of, it is the first that all are right about, or else the first one.

    Args:
        plan: its single measure is the class.
        material: results of the figure's networks, which see pictures.

    Returns:
        The figure; ``None`` where there is no such image.
    """
    (wanted,) = plan.measures
    folders = {label: found[0].folder for label, found in material.evaluations.items()}
    if not all((folder / HEAT_MAPS).is_file() for folder in folders.values()):
        return None
    found = {label: _read(folder / HEAT_MAPS, material.classes.index(wanted)) for label, folder in folders.items()}
    names = sorted(set.intersection(*({*maps} for maps in found.values())))
    if not names:
        return None
    name = next((name for name in names if all(maps[name][0] for maps in found.values())), names[0])
    first, *_ = (maps[name][1] for maps in found.values())
    cams = {f"{label}{'' if maps[name][0] else ' (wrong)'}": maps[name][2] for label, maps in found.items()}
    return draw_picture_grad_cams(first, cams, f"{name}: {wanted}")


def _read(path: Path, label: int) -> dict[str, Sequence]:
    """Whether the network is right, the image (channel, x, y) and the map (x, y) of each image of a class."""
    with np.load(path) as content:
        parts = {key: content[key] for key in ("names", "truth", "predicted", "images", "maps")}
    rows = zip(*parts.values(), strict=True)
    return {
        str(name): (predicted == label, image, cam) for name, truth, predicted, image, cam in rows if truth == label
    }
