"""The report page of a segmentation; its sentences are in ``templates/segmentation.html.j2``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from common.cohorts.datasets.registry import source_name
from common.metrics.brats_measures import REGION_MEASURES
from common.records import CAVITY_CLASS, MASK_CLASSES, scan_of
from common.reports.key_result import key_result, tell_result
from common.reports.page import render_page
from common.reports.pictures import draw_confusion, draw_segmentation_panel
from common.reports.segmentation import empty_table, patient_table, region_table, rule_table, soft_dice_table
from common.tasks.registry import nouns_of, task_of

CLASS_NAMES = ("background", *MASK_CLASSES, CAVITY_CLASS)
MOST_PANELS = 6


@dataclass(frozen=True)
class Panel:
    """A volume's slice with the most tumour, and the volume's confusion matrix.

    Args:
        name: of the patient or the scan.
        image: FLAIR (or whatever is the first channel), (x, y).
        truth: class indices (x, y).
        prediction: class indices (x, y).
        confusion: voxel counts (truth, prediction) of the whole volume.
    """

    name: str
    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    confusion: np.ndarray

    @classmethod
    def of_volume(
        cls, name: str, image: torch.Tensor, label: torch.Tensor, prediction: torch.Tensor, classes: int
    ) -> Panel:
        """The panel of a volume.

        Args:
            name: of the patient or the scan.
            image: (c, x, y, z).
            label: (1 or classes, x, y, z).
            prediction: class indices (x, y, z).
            classes: how many there are.
        """
        truth = (label[0] if label.shape[0] == 1 else label.argmax(dim=0)).long()
        depth = int((truth > 0).sum(dim=(0, 1)).argmax())
        joint = torch.bincount((truth * classes + prediction).flatten(), minlength=classes**2)
        shown, true, predicted = (np.asarray(plane[..., depth].cpu()) for plane in (image[0], truth, prediction))
        return cls(name, shown, true, predicted, joint.reshape(classes, classes).cpu().numpy())


def write_page(
    path: str | Path,
    summary: Mapping[str, Any],
    rows: pd.DataFrame,
    panels: Sequence[Panel],
    confusion: np.ndarray,
    records: Sequence[Mapping[str, Any]],
) -> None:
    """Write the report.

    Args:
        path: of the HTML file.
        summary: of :func:`common.reports.segmentation.summarise_cohort`, with protocol, side, phantom and
            weights.
        rows: one row per patient, or per scan.
        panels: one per row.
        confusion: voxel counts over all patients.
        records: the whole cohort.
    """
    patients = dict.fromkeys((record["source"], record["subject"]) for record in records)
    render_page(
        path,
        "segmentation",
        summary=summary,
        answer=tell_result(*key_result(summary)),
        task=task_of(summary),
        nouns=nouns_of(summary),
        sources=Counter(source_name(source) for source, _ in patients),
        tables={
            "regions": region_table(summary),
            "empty": empty_table(summary),
            "soft_dice": soft_dice_table(summary),
            "rules": rule_table(summary) if "component_rules" in summary else None,
        },
        measures=REGION_MEASURES,
        panels=_choose(panels, rows),
        confusion=draw_confusion(confusion, CLASS_NAMES[: len(confusion)]),
        rows=patient_table(rows),
    )


def _choose(panels: Sequence[Panel], rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Panels from the best patient to the worst, evenly spread, so that failures are seen."""
    ranked = rows.set_index(rows.apply(scan_of, axis=1))["dice_WT"].sort_values(ascending=False)
    places = np.unique(np.linspace(0, len(ranked) - 1, min(MOST_PANELS, len(ranked))).round().astype(int))
    by_name = {panel.name: panel for panel in panels}
    chosen = [(by_name[ranked.index[place]], place) for place in places]
    return [
        {
            "name": panel.name,
            "dice": ranked.iloc[place],
            "rank": place + 1,
            "figure": draw_segmentation_panel(panel.image, panel.truth, panel.prediction, panel.name),
        }
        for panel, place in chosen
    ]
