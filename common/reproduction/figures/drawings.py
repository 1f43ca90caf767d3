"""Draws the figures of a table and saves them beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from common.files import atomic_path
from common.records import Record
from common.reproduction.figures.bars import draw_bars
from common.reproduction.figures.class_measures import draw_class_measures
from common.reproduction.figures.confusion import draw_confusions
from common.reproduction.figures.curves import draw_curves
from common.reproduction.figures.example import draw_example
from common.reproduction.figures.heat_maps import draw_heat_maps
from common.reproduction.figures.masks import draw_channel_shares, draw_components
from common.reproduction.figures.material import Material
from common.reproduction.figures.roc import draw_roc_curves
from common.reproduction.figures.slices import draw_sequences, draw_slice_places, draw_three_slices
from common.reproduction.figures.voxels import draw_log_counts
from common.reproduction.head_search import Evaluations
from common.reproduction.table_plan import Column, PaperFigure, PaperTable, counted_as

DRAWINGS: Mapping[str, Callable[[PaperFigure, Material], Figure | None]] = {
    "bars": draw_bars,
    "channel shares": draw_channel_shares,
    "components": draw_components,
    "confusion": draw_confusions,
    "class measures": draw_class_measures,
    "curves": draw_curves,
    "example": draw_example,
    "heat maps": draw_heat_maps,
    "log counts": draw_log_counts,
    "roc": draw_roc_curves,
    "sequences": draw_sequences,
    "slice places": draw_slice_places,
    "three slices": draw_three_slices,
}
"""What draws a figure; ``None`` where the results, or the data set, do not hold what it shows."""


@dataclass(frozen=True)
class Drawn:
    """A figure as it was drawn of one column.

    Args:
        plan: of the figure.
        heading: of the column; empty where the data set alone was drawn.
        path: of the PNG file.
        picture: to be embedded.
    """

    plan: PaperFigure
    heading: str
    path: Path
    picture: Figure


def draw_figures(
    table: PaperTable, columns: Sequence[Column], evaluations: Evaluations, records: Sequence[Record], output: Path
) -> list[Drawn]:
    """Draw what there are results for, and save each as ``<figure>-<column>.png``.

    Args:
        table: with its figures.
        columns: of the table.
        evaluations: of the runs that are done.
        records: of the data set.
        output: folder of the table.
    """
    drawn = []
    for plan in table.figures:
        for ending, heading, material in _materials(plan, columns, evaluations, records):
            picture = DRAWINGS[plan.drawing](plan, material)
            if picture is None:
                continue
            path = output / f"{plan.name}{ending}.png"
            with atomic_path(path) as temporary:
                picture.savefig(temporary, format="png", dpi=110)
            drawn.append(Drawn(plan, heading, path, picture))
    return drawn


def _materials(
    plan: PaperFigure, columns: Sequence[Column], evaluations: Evaluations, records: Sequence[Record]
) -> Iterator[tuple[str, str, Material]]:
    """The end of the file's name, the heading and the material of each picture of a figure."""
    if not plan.models:
        yield "", "", Material({}, records)
        return
    for column in columns:
        found = {
            label: [evaluation.of_side(plan.side) for evaluation in evaluations[model, column.name]]
            for label, model in plan.models.items()
            if (model, column.name) in evaluations
        }
        if found:
            yield f"-{column.name}", column.heading, Material(found, records, counted_as("split", column.split))
