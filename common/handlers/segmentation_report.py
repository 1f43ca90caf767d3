"""Writes the results of a segmentation's evaluation: a table of patients, metrics as JSON, and a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
import pandas as pd
import torch.distributed
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.files import atomic_path, write_json
from common.handlers.phantom_records import mark_phantoms
from common.records import Record, scan_of
from common.reports.segmentation import judge_volume, summarise_cohort
from common.reports.segmentation_page import Panel, write_page
from common.shortcuts.probe import probe_shortcuts
from common.splits.manifest import SplitManifest

logger = logging.getLogger(__name__)


class SegmentationReport:
    """Measures every volume of an evaluator and writes the report when it is done.

    Writes ``predictions.csv``, ``metrics.json``, ``confusion_matrix.csv`` and ``report.html`` in ``output_dir``; every
    number of the page can be computed from the tables, without the images.

    Args:
        output_dir: the run folder.
        records: the whole cohort, for the shortcut probe.
        split: of the run.
        side: which side is judged.
        provenance: of the weights.
        seed: of the bootstrap.
    """

    def __init__(
        self,
        output_dir: str | Path,
        records: Sequence[Record],
        split: SplitManifest,
        side: str,
        provenance: Mapping[str, Any],
        seed: int = 0,
    ) -> None:
        self.output_dir, self.records, self.seed = Path(output_dir), records, seed
        self.facts = {
            "protocol": split.protocol,
            "split_hash": split.hash,
            "side": side,
            "weights": {key: provenance.get(key) for key in ("bundle", "version", "stage", "protocol", "epoch")},
        }
        self.rows: list[dict[str, Any]] = []
        self.panels: list[Panel] = []
        self.confusion = np.zeros((), dtype=np.int64)

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.judge)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Discard the results of an earlier evaluation."""
        self.rows, self.panels = [], []
        self.confusion = np.zeros((), dtype=np.int64)

    def judge(self, engine: Workflow) -> None:
        """Add a row and a panel for each volume of the batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            spacing = [float(size) for size in item["geometry"]["spacing"]]
            row = judge_volume(output["pred"], output["label"], spacing, bool(item["whole"]))
            names = {key: str(item[key]) for key in ("subject", "scan") if item.get(key)}
            self.rows.append({**names, **row})
            panel = Panel.of_volume(scan_of(item), output["image"], output["label"], output["pred"])
            self.panels.append(panel)
            self.confusion = self.confusion + panel.confusion

    def finish(self, _: Workflow) -> None:
        """Gather the ranks and write everything."""
        self._gather()
        if idist.get_rank() > 0:
            return
        # A sampler that gives every rank the same number of volumes repeats some.
        once = {scan_of(row): row for row in self.rows}
        rows = pd.DataFrame([once[name] for name in sorted(once)])
        if "scan" in rows:
            rows["scan"] = rows["scan"].fillna(rows["subject"])
        records = mark_phantoms(self.records)
        facts = {**self.facts, "phantom": any(record["phantom"] for record in records)}
        shortcuts = probe_shortcuts(records, "grade", self.seed)
        summary = {**facts, **summarise_cohort(rows, self.seed), "shortcuts": shortcuts.to_json()}
        with atomic_path(self.output_dir / "predictions.csv") as path:
            rows.to_csv(path, index=False)
        with atomic_path(self.output_dir / "confusion_matrix.csv") as path:
            pd.DataFrame(self.confusion).to_csv(path, index=False, header=False)
        write_json(self.output_dir / "metrics.json", summary)
        write_page(self.output_dir / "report.html", summary, rows, self.panels, self.confusion, records)
        dice = summary["mean_dice"]
        logger.info(
            "Mean Dice of %d patients: %.3f. Report: %s", dice["n"], dice["mean"], self.output_dir / "report.html"
        )

    def _gather(self) -> None:
        if idist.get_world_size() == 1:
            return
        gathered: list[Any] = [None] * idist.get_world_size()
        torch.distributed.all_gather_object(gathered, (self.rows, self.panels, self.confusion))
        self.rows = [row for rows, _, _ in gathered for row in rows]
        self.panels = [panel for _, panels, _ in gathered for panel in panels]
        self.confusion = sum(confusion for _, _, confusion in gathered)
