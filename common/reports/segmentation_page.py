"""The page that a person reads after a segmentation was evaluated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from common.cohorts.datasets.source_names import source_name
from common.records import scan_of
from common.reports.caveats import tell_caveats
from common.reports.page import Page
from common.reports.pictures import draw_confusion, draw_segmentation_panel
from common.reports.segmentation import region_table, soft_dice_table

CLASS_NAMES = ("background", "NCR", "ED", "ET")
MOST_PANELS = 6
LEAKY = (
    "Published protocol: slices of one patient stand on both sides of the split, so these numbers do not tell how the "
    "network does on a new patient. Distances need whole volumes and are left out."
)


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
    def of_volume(cls, name: str, image: torch.Tensor, label: torch.Tensor, logits: torch.Tensor) -> Panel:
        """From image (c, x, y, z), label (1 or 4, x, y, z) and logits (4, x, y, z)."""
        truth = (label[0] if label.shape[0] == 1 else label.argmax(dim=0)).long()
        prediction = logits.argmax(dim=0)
        depth = int((truth > 0).sum(dim=(0, 1)).argmax())
        joint = torch.bincount((truth * len(CLASS_NAMES) + prediction).flatten(), minlength=len(CLASS_NAMES) ** 2)
        shown, true, predicted = (np.asarray(plane[..., depth].cpu()) for plane in (image[0], truth, prediction))
        return cls(name, shown, true, predicted, joint.reshape(len(CLASS_NAMES), -1).cpu().numpy())


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
        summary: of :func:`common.reports.segmentation.summarise_cohort`, with protocol, side, weights and shortcuts.
        rows: a row a patient, or a scan.
        panels: one for each row.
        confusion: voxel counts over all patients.
        records: the whole cohort.
    """
    page = Page("Glioma segmentation: evaluation")
    page.paragraph(_what_was_judged(summary, records))
    for warning in tell_caveats(summary, records, LEAKY):
        page.warning(warning)
    page.heading("By the measures of BraTS, per patient")
    page.table(region_table(summary))
    page.paragraph(
        "Intervals: 95 %, bootstrap over patients. A region that is empty in truth and prediction has Dice 1."
    )
    page.heading("By the measure of the paper (P3)")
    page.table(soft_dice_table(summary))
    page.paragraph(
        "Soft Dice per slice with smoothing 1: a slice without tumour scores nearly 1, so this measure flatters."
    )
    page.heading("Pictures")
    for caption, panel in _choose(panels, rows):
        page.picture(draw_segmentation_panel(panel.image, panel.truth, panel.prediction, panel.name), caption)
    page.picture(
        draw_confusion(confusion, CLASS_NAMES), "Voxels of all patients, as shares of the truth and as counts."
    )
    page.heading("Every patient")
    page.table(_patient_table(rows))
    page.write(path)


def _what_was_judged(summary: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> str:
    patients = dict.fromkeys((record["source"], record["subject"]) for record in records)
    sources = ", ".join(
        f"{name} ({count})" for name, count in Counter(source_name(source) for source, _ in patients).items()
    )
    weights = summary["weights"]
    scans = f"{summary['scans']} scans, " if "scans" in summary else ""
    return (
        f"{summary['patients']} patients ({scans}{summary['slices']} slices) of the {summary['side']} side. "
        f"Cohort: {sources}. Protocol: {summary['protocol']}. "
        f"Weights: stage {weights['stage']}, epoch {weights['epoch']}. Split: {summary['split_hash'][:12]}."
    )


def _choose(panels: Sequence[Panel], rows: pd.DataFrame) -> list[tuple[str, Panel]]:
    """Panels from the best patient to the worst, evenly spread, so that failures are seen."""
    ranked = rows.set_index(rows.apply(scan_of, axis=1))["dice_WT"].sort_values(ascending=False)
    places = np.unique(np.linspace(0, len(ranked) - 1, min(MOST_PANELS, len(ranked))).round().astype(int))
    by_name = {panel.name: panel for panel in panels}
    return [
        (
            f"{ranked.index[place]}: WT Dice {ranked.iloc[place]:.3f}, rank {place + 1} of {len(ranked)}.",
            by_name[ranked.index[place]],
        )
        for place in places
    ]


def _patient_table(rows: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("subject", "scan") if name in rows]
    shown = [*names, *(f"{measure}_{region}" for measure in ("dice", "hd95") for region in ("WT", "TC", "ET"))]
    shown += ["true_ml_WT", "predicted_ml_WT"]
    return rows[shown].sort_values("dice_WT", ascending=False)
