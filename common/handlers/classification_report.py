"""Writes the results of a classifier's evaluation: tables of samples and patients, metrics, pictures, and a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from matplotlib.figure import Figure

from common.cohorts.labels.permutation import are_permuted
from common.handlers.evaluation_report import CONFUSION, PAGE, PREDICTIONS, EvaluationReport, Judged
from common.handlers.grad_cam import GradCamDrawer, View, write_heat_maps
from common.handlers.survival_days import SurvivalDays
from common.metrics.baselines import RECORDED, fit_baselines
from common.metrics.patient_predictions import to_patients
from common.records import Record, scan_of
from common.reports.classification.page import write_page
from common.reports.classification.summary import summarise_classification
from common.reports.classification.verdict import judge_evidence
from common.shortcuts.probe import ShortcutReport, probe_shortcuts
from common.shortcuts.trait_tables import trait_tables

HEAT_MAPS = "heat_maps.npz"
MOST_PICTURES = 6

logger = logging.getLogger(__name__)


class ClassificationReport(EvaluationReport):
    """Collects the prediction for every sample of an evaluator and computes the measures when it is done.

    Writes ``predictions.csv`` (one row per patient, or per scan where patients have several), ``samples.csv`` (where
    they have several samples), ``confusion_matrix.csv``, ``metrics.json`` and ``report.html`` in ``output_dir``, and
    ``heat_maps.npz`` where heat maps of slices are drawn; every number of the page can be computed from the tables,
    without the images.

    Args:
        output_dir: the run folder.
        task: name of the task; its label is what the shortcut probe predicts.
        judged: which weights, on which patients; of survival the records may hold patients without a class.
        classes: their names, in the order of the labels.
        seed: of the bootstrap.
        survival: the days behind the classes of survival, where that is judged.
        network: draws a heat map of up to six patients, of each class as many.
        shortcuts: the probe's result where it has run already on prepared volumes, as of
            :func:`common.shortcuts.probe.probe_sources`.
    """

    of_sample = ("sample",)

    def __init__(
        self,
        output_dir: str | Path,
        task: str,
        judged: Judged,
        classes: Sequence[str],
        seed: int = 0,
        survival: SurvivalDays | None = None,
        network: torch.nn.Module | None = None,
        shortcuts: ShortcutReport | None = None,
    ) -> None:
        super().__init__(output_dir, task, judged, seed)
        self.classes, self.survival = tuple(classes), survival
        self.network, self.shortcuts = network, shortcuts
        self.records = judged.records if survival is None else survival.label(judged.records)

    def describe(self) -> dict[str, Any]:
        """As for every evaluation, and what the network was given."""
        settings = self._settings
        return super().describe() | {
            "target": self.task.name,
            "backbone": settings.get("backbone"),
            "unit": self.judged.split.unit,
            "permuted_labels": are_permuted([*self.records, *self.judged.train]),
            "sees_clinical": bool(settings.get("clinical")),
            "class_shares": self.judged.provenance.get("class_shares") or {},
        }

    @property
    def _settings(self) -> Mapping[str, Any]:
        return self.judged.provenance.get("settings") or {}

    @property
    def _drawing(self) -> dict[str, Any]:
        return {
            "modalities": self._settings.get("modalities", ()),
            "orientation": (self.judged.provenance.get("slices") or {}).get("orientation", "LPS"),
            "volumes": "volume_size" in self._settings,
        }

    def measure(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The class and its probabilities."""
        probabilities = torch.as_tensor(output["pred"]).detach().cpu().double().softmax(dim=0).tolist()
        return {
            "sample": int(item.get("slice", item.get("modality", 0))),
            **({"tumour": bool(item["tumour"])} if "tumour" in item else {}),
            "truth": self.classes[int(item["label"])],
            **{f"p_{name}": p for name, p in zip(self.classes, probabilities, strict=True)},
        }

    def keep_picture(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        """Keep one image of each class's first patients: the slice with most tumour, or the most probable one."""
        subject, label = str(item["subject"]), int(item["label"])
        of_class = sum(view.truth == label for view in self.pictures.values())
        is_enough = of_class >= MOST_PICTURES // len(self.classes)
        if self.network is None or (subject not in self.pictures and is_enough):
            return
        view = View.of_patient(item, output, "volume_size" in self._settings)
        earlier = self.pictures.setdefault(subject, view)
        is_mask = "tumour" in item
        if view.image.sum() > earlier.image.sum() if is_mask else view.probability > earlier.probability:
            self.pictures[subject] = view

    def write(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Write the tables of samples and patients, the confusion matrix, the metrics and the page."""
        patients = to_patients(rows, self.classes)
        if self.survival is not None:
            patients = self.survival.add_days(patients, self._records_of(patients))
        summary = self._summarise(patients, rows)
        if len(rows) > len(patients):
            self.write_table("samples.csv", rows)
        self.write_table(PREDICTIONS, patients)
        self.write_table(CONFUSION, pd.DataFrame(summary["confusion"]), header=False)
        self.write_metrics(summary)
        heat_maps = self._draw(masks="tumour" in rows)
        write_page(self.output_dir / PAGE, summary, patients, self.records, heat_maps)
        return summary

    def _records_of(self, rows: pd.DataFrame) -> list[Record]:
        """The judged patients' records, in the order of the rows."""
        records = {_name(record): record for record in self.records}
        return [records[_name(row)] for row in rows.to_dict("records")]

    def _summarise(self, rows: pd.DataFrame, samples: pd.DataFrame) -> dict[str, Any]:
        recorded = [name for name in RECORDED if self.survival is None or name != "survival_days"]
        train, test = self.judged.train, self._records_of(rows)
        traits = trait_tables(train, test, self.task.label, voxels=self.shortcuts is not None)
        baselines = fit_baselines(train, test, self.classes, self.seed, recorded, traits)
        shortcuts = self.shortcuts or self._probe()
        summary = {**self.facts, **summarise_classification(rows, samples, self.classes, baselines, self.seed)}
        summary["shortcuts"] = shortcuts.to_json()
        summary["verdict"] = judge_evidence(summary).to_json()
        days_belong = not self.facts["permuted_labels"]  # a shuffled class has no relation to the days
        if self.survival is not None and days_belong:
            summary["survival"] = self.survival.summarise(rows, self.records, self.seed)
        return summary

    def _probe(self) -> ShortcutReport:
        shortcuts = probe_shortcuts(self.records, self.task.label, self.seed)
        for warning in shortcuts.warnings:
            logger.warning("%s", warning)
        return shortcuts

    def _draw(self, masks: bool) -> dict[str, Figure]:
        """Heat maps of the first patients under their captions; those of slices are written to ``heat_maps.npz``."""
        if self.network is None:
            return {}
        drawer = GradCamDrawer(self.network, self.classes, masks=masks, **self._drawing)
        views = dict(sorted(self.pictures.items())[:MOST_PICTURES])
        maps = {subject: drawer.explain(view) for subject, view in views.items()}
        if views and not self._drawing["volumes"]:
            write_heat_maps(self.output_dir / HEAT_MAPS, list(views.values()), list(maps.values()))
        return {
            f"{subject}: {self.classes[view.truth]}, predicted {self.classes[view.class_index]}.": drawer.draw(
                view, maps[subject]
            )
            for subject, view in views.items()
            if view.truth is not None
        }


def _name(row: Mapping[Any, Any]) -> tuple[str, str]:
    return str(row["subject"]), scan_of(row)
