"""Writes the results of a segmentation's evaluation: a table of patients, metrics as JSON, and a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from common.handlers.evaluation_report import CONFUSION, PAGE, PREDICTIONS, EvaluationReport
from common.records import scan_of
from common.reports.segmentation import judge_volume, summarise_cohort
from common.reports.segmentation_page import Panel, write_page
from common.shortcuts.probe import probe_shortcuts


class SegmentationReport(EvaluationReport):
    """Measures every volume of an evaluator and writes the report when it is done.

    Writes ``predictions.csv``, ``metrics.json``, ``confusion_matrix.csv`` and ``report.html`` in ``output_dir``; every
    number of the page can be computed from the tables, without the images.
    """

    of_weights = ("bundle", "version", "stage", "protocol", "epoch")

    def measure(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The measures of a volume."""
        spacing = [float(size) for size in item["geometry"]["spacing"]]
        return {**judge_volume(output["pred"], output["label"], spacing, bool(item["whole"]))}

    def keep_picture(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        """Keep the slice with the most tumour."""
        name = scan_of(item)
        self.pictures[name] = Panel.of_volume(name, output["image"], output["label"], output["pred"])

    def write(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Write the table of volumes, the confusion matrix of their voxels, the metrics and the page."""
        shortcuts = probe_shortcuts(self.records, self.task.label, self.seed)
        summary = {**self.facts, **summarise_cohort(rows, self.seed), "shortcuts": shortcuts.to_json()}
        panels = list(self.pictures.values())
        confusion = sum(panel.confusion for panel in panels)
        self.write_table(PREDICTIONS, rows)
        self.write_table(CONFUSION, pd.DataFrame(confusion), header=False)
        self.write_metrics(summary)
        write_page(self.output_dir / PAGE, summary, rows, panels, confusion, self.records)
        return summary
