"""Writes a table of volumes for segmented patients, and pictures on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.files import atomic_path, path_within
from common.formats.spreadsheets import read_frame, write_frame
from common.knobs import as_bool
from common.locks import release
from common.metrics.dice import regions_of
from common.names import file_name_of
from common.records import scan_of
from common.reports.pictures import draw_three_planes
from common.transforms.cases import MILLILITRE
from common.transforms.reading import mask_values_in

TABLE = "volumes.csv"


class SegmentationTable:
    """Keeps ``volumes.csv`` up to date after every patient: subject, file, millilitres of WT, TC and ET.

    Where patients have several scans, each has a row, and its name stands under ``scan``. ``trained_on`` says whether
    the weights know the scan, where the item does.

    Args:
        output_dir: where the label maps go; rows of earlier patients in the table there are kept.
        pictures: also write ``<scan>_seg.png``, the segmentation in three planes.
    """

    def __init__(self, output_dir: str | Path, pictures: bool | str = False) -> None:
        self.output_dir, self.pictures = Path(output_dir), as_bool(pictures, "pictures")

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def __call__(self, engine: Workflow) -> None:
        """Add the patients of a batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            classes = np.asarray(output["pred"])[0]
            affine = np.asarray(output["pred"].meta["affine"])
            names = {key: str(item[key]) for key in ("subject", "scan") if item.get(key)}
            known = {"trained_on": item["trained_on"]} if item.get("trained_on") else {}
            volumes = region_volumes(classes, affine, len(mask_values_in({**item, **output})) + 1)
            if self.pictures:
                name = file_name_of(item, self.output_dir)
                figure = draw_three_planes(output["pred"].meta["filename_or_obj"], classes, title=name)
                with atomic_path(path_within(self.output_dir, f"{name}_seg.png")) as path:
                    figure.savefig(path, dpi=120)
            self._add_row({**names, "file": Path(output["seg_file"]).name, **volumes, **known})

    def finish(self, _: Workflow) -> None:
        """Let other runs write into the folder."""
        release(self.output_dir)

    def _add_row(self, row: dict[str, Any]) -> None:
        table = self.output_dir / TABLE
        earlier = read_frame(table).to_dict("records") if table.exists() else []
        known: list[dict[str, Any]] = [
            {str(key): value for key, value in old.items() if not pd.isna(value)} for old in earlier
        ]
        rows: list[dict[str, Any]] = [*(old for old in known if scan_of(old) != scan_of(row)), row]
        rows.sort(key=scan_of)
        write_frame(table, pd.DataFrame(rows))


def region_volumes(classes: np.ndarray, affine: np.ndarray, count: int = 4) -> dict[str, float]:
    """The volume of each region.

    Args:
        classes: class indices (x, y, z).
        affine: (4, 4).
        count: of the classes that there can be, background included.

    Returns:
        Millilitres under ``WT_ml``, ``TC_ml`` and ``ET_ml``, and ``RC_ml`` of five classes.
    """
    voxel = abs(float(np.linalg.det(affine[:3, :3]))) / MILLILITRE
    counts = np.bincount(classes.ravel(), minlength=count)
    regions = regions_of(count).items()
    return {f"{region}_ml": round(float(counts[list(parts)].sum()) * voxel, 2) for region, parts in regions}
