"""ROC curves over samples and over patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean

from matplotlib.figure import Figure

from common.metrics.judgement import probabilities_of, truth_of
from common.metrics.roc import RocBand, roc_curves
from common.reports.classification.curves import show_roc
from common.reproduction.evaluation import Evaluation
from common.reproduction.figures.material import Material
from common.reproduction.table_plan import PaperFigure


def draw_roc_curves(plan: PaperFigure, material: Material) -> Figure:
    """The curve of each class, or of each network where there are several; of repeats that with the median area.

    The band is a pointwise 95 % bootstrap over patients.

    Args:
        plan: its ``published`` are the printed areas, under the names of the curves; all papers counted samples.
        material: results of the figure's networks.
    """
    units = material.units
    figure = Figure(figsize=(5.4 * len(units), 5.2), layout="constrained")
    for axes, (unit, cases) in zip(figure.subplots(1, len(units), squeeze=False)[0], units.items(), strict=True):
        show_roc(axes, _curves(plan, material, unit))
        axes.set_title(cases, fontsize=9)
    return figure


def _curves(plan: PaperFigure, material: Material, unit: str) -> dict[str, RocBand]:
    shown, printed = {}, plan.published if unit == next(iter(material.units)) else {}
    for label, found in material.evaluations.items():
        for name, repeats in _of_classes(found, unit, material.classes).items():
            curve = label if len(material.classes) == 2 else name
            told = [f"mean of {len(repeats)}: {mean(band.area for band in repeats):.4f}"] if len(repeats) > 1 else []
            told += [f"printed {area:g}" for area in printed.get(curve, ())]
            middle = sorted(repeats, key=lambda band: band.area)[(len(repeats) - 1) // 2]
            shown[f"{curve} ({', '.join(told)})" if told else curve] = middle
    return shown


def _of_classes(found: Sequence[Evaluation], unit: str, names: Sequence[str]) -> Mapping[str, list[RocBand]]:
    """The curves of all repeats under the names of their classes; of two classes the second has one."""
    curves: dict[str, list[RocBand]] = {}
    for evaluation in found:
        rows = evaluation.samples if unit == "samples" else evaluation.patients
        truth, probabilities = (read(rows, evaluation.classes) for read in (truth_of, probabilities_of))
        for label, band in roc_curves(truth, probabilities, rows["subject"]).items():
            curves.setdefault(names[label], []).append(band)
    return curves
