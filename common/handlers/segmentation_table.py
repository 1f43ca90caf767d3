"""What a segmentation of new patients leaves besides the label maps: a table of volumes, and pictures on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.cohorts.records import BRATS_MASK_VALUES
from common.files import atomic_path
from common.metrics.regions import REGIONS
from common.reports.pictures import draw_three_planes
from common.reports.segmentation import MILLILITRE
from common.transforms.preparation import class_indices

TABLE = "volumes.csv"


class SegmentationTable:
    """Keeps ``volumes.csv`` up to date after every patient: subject, file, millilitres of WT, TC and ET.

    Args:
        output_dir: where the label maps go; rows of earlier patients in the table there are kept.
        pictures: also write ``<subject>_seg.png``, the segmentation in three planes.
    """

    def __init__(self, output_dir: str | Path, pictures: bool = False) -> None:
        self.output_dir, self.pictures = Path(output_dir), pictures

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Workflow) -> None:
        """Add the patients of a batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            classes = class_indices(np.asarray(output["pred"])[0], BRATS_MASK_VALUES)
            affine = np.asarray(output["pred"].meta["affine"])
            self._add_row(self._row(str(item["subject"]), output["seg_file"], classes, affine))
            if self.pictures:
                figure = draw_three_planes(output["pred"].meta["filename_or_obj"], classes, title=str(item["subject"]))
                with atomic_path(self.output_dir / f"{item['subject']}_seg.png") as path:
                    figure.savefig(path, dpi=120)

    def _row(self, subject: str, file: str, classes: np.ndarray, affine: np.ndarray) -> dict[str, Any]:
        voxel = abs(float(np.linalg.det(affine[:3, :3]))) / MILLILITRE
        counts = np.bincount(classes.ravel(), minlength=len(BRATS_MASK_VALUES) + 1)
        volumes = {
            f"{region}_ml": round(float(counts[list(parts)].sum()) * voxel, 2) for region, parts in REGIONS.items()
        }
        return {"subject": subject, "file": Path(file).name, **volumes}

    def _add_row(self, row: dict[str, Any]) -> None:
        table = self.output_dir / TABLE
        earlier = pd.read_csv(table, dtype={"subject": str}) if table.exists() else pd.DataFrame(columns=list(row))
        kept = earlier[earlier["subject"] != row["subject"]]
        rows = [*kept.to_dict("records"), row]
        with atomic_path(table) as path:
            pd.DataFrame(rows).sort_values("subject").to_csv(path, index=False)
