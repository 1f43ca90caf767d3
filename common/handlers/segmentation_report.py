"""Writes the results of a segmentation's evaluation: a table of patients, metrics as JSON, and a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from common.handlers.evaluation_report import CONFUSION, PAGE, PREDICTIONS, EvaluationReport, Judged
from common.networks.weights.recorded import slice_size_of
from common.records import scan_of
from common.reports.segmentation import judge_rule, judge_volume, predicted_classes, summarise_cohort, summarise_regions
from common.reports.segmentation_page import Panel, write_page
from common.transforms.brain.components import NONE, TRIED, ComponentRule

RULES = "component_rules.csv"
SAME = ("slices", "soft_dice_")
"""Columns in which no rule differs."""

AT = "@"
"""Between a measure and the rule that it was taken with."""


class SegmentationReport(EvaluationReport):
    """Measures every volume of an evaluator and writes the report when it is done.

    Writes ``predictions.csv``, ``metrics.json``, ``confusion_matrix.csv`` and ``report.html`` in ``output_dir``; every
    number of the page can be computed from the tables, without the images. Where a rule for small parts is used, or may
    be chosen because the validation side is judged, ``component_rules.csv`` holds each volume's measures with and
    without.

    Args:
        output_dir: as of :class:`EvaluationReport`, like the next three.
        task: likewise.
        judged: likewise.
        seed: likewise.
        smallest_component: of :class:`~common.transforms.brain.components.ComponentRule`, ml.
        smallest_et: likewise.
    """

    perhaps = (RULES,)
    of_weights = ("bundle", "version", "stage", "protocol", "epoch", "kept")

    def __init__(
        self,
        output_dir: str | Path,
        task: str,
        judged: Judged,
        seed: int = 0,
        smallest_component: float = 0.0,
        smallest_et: float = 0.0,
    ) -> None:
        super().__init__(output_dir, task, judged, seed)
        self.rule = ComponentRule(smallest_component, smallest_et)
        self.rules = dict.fromkeys([NONE, self.rule, *(TRIED if judged.side == "validation" else ())])

    def measure(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The measures of a volume, those of the rules that are not used under ``<measure>@<rule>``."""
        volume = output["pred"], output["label"], self._spacing(item), bool(item["whole"])
        used = judge_volume(*volume, self.rule)
        row: dict[str, Any] = {**used}
        for rule in self.rules if item["whole"] else ():
            found = used if rule == self.rule else judge_rule(*volume, rule)
            row |= {f"{name}{AT}{rule.name}": value for name, value in found.items() if not name.startswith(SAME)}
        return row

    def keep_picture(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        """Keep the slice with the most tumour."""
        name, logits = scan_of(item), output["pred"]
        predicted = predicted_classes(logits, self._spacing(item), bool(item["whole"]), self.rule)
        self.pictures[name] = Panel.of_volume(name, output["image"], output["label"], predicted, len(logits))

    def write(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Write the tables of volumes, the confusion matrix of their voxels, the page and the metrics."""
        by_rule = self._take_rules(rows)
        rows = rows[[name for name in rows if AT not in name]]
        summary = {**self.facts, **summarise_cohort(rows, self.seed), "component_rule": self.rule.name}
        if len(by_rule) > 1:
            summary["component_rules"] = {
                name: {"regions": summarise_regions(table, self.seed)} for name, table in by_rule.items()
            }
        panels = list(self.pictures.values())
        confusion = sum(panel.confusion for panel in panels)
        self.write_table(PREDICTIONS, rows)
        if len(by_rule) > 1:
            tables = [table.assign(component_rule=name) for name, table in by_rule.items()]
            self.write_table(RULES, pd.concat(tables, ignore_index=True))
        self.write_table(CONFUSION, pd.DataFrame(confusion), header=False)
        write_page(self.output_dir / PAGE, summary, rows, panels, confusion, self.records)
        self.write_metrics(summary)
        return summary

    def _take_rules(self, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """The table of each rule by its name; none where whole volumes were not judged."""
        names = [name for name in ("subject", "scan") if name in rows]
        tables = {}
        for rule in self.rules:
            ending = f"{AT}{rule.name}"
            columns = {name: name.removesuffix(ending) for name in rows if name.endswith(ending)}
            if columns:
                tables[rule.name] = rows[[*names, *columns]].rename(columns=columns)
        return tables

    def _spacing(self, item: Mapping[str, Any]) -> list[float]:
        """The size in mm of a voxel that is judged: P3's whole slices are resized."""
        geometry = item["geometry"]
        resized = slice_size_of(self.judged.provenance)
        if resized is None:
            return [float(size) for size in geometry["spacing"]]
        scales = [whole / side for whole, side in zip(geometry["shape"], resized, strict=False)]
        return [float(size) * scale for size, scale in zip(geometry["spacing"], (*scales, 1), strict=True)]
