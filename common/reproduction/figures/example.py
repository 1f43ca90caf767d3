"""A patient's images and masks in one slice (P3, figure 3)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from common.records import MASK_CLASSES, MODALITIES
from common.reports.pictures import show_slice
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure
from common.transforms.preparation import prepare_case


def draw_example(plan: PaperFigure, material: Material) -> Figure | None:
    """The four sequences of the first patient with a mask, and the three channels of it, where most tumour is.

    Args:
        plan: of the figure.
        material: with the records of the data set. ``None`` where no patient has a mask and all images.
    """
    wanted = ("seg", *MODALITIES)
    record = next((one for one in material.records if all(one.get(key) for key in wanted)), None)
    if record is None:
        return None
    case = prepare_case(record)
    classes = np.asarray(case.classes)
    depth = int((classes > 0).sum(axis=(1, 2)).argmax())
    names = (*MODALITIES, *MASK_CLASSES)
    figure = Figure(figsize=(1.9 * len(names), 2.5), layout="constrained")
    grid = figure.subplots(1, len(names))
    for axes, picture in zip(grid, case.image[depth], strict=False):
        show_slice(axes, picture.T, None)
    for index, axes in enumerate(grid[len(MODALITIES) :], start=1):
        axes.imshow(classes[depth] == index, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_axis_off()
    for axes, name in zip(grid, names, strict=True):
        axes.set_title(name, fontsize=9)
    return figure
