"""Writes the results of a classifier's evaluation: tables of samples and patients, metrics, pictures, and a page."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from monai.engines.workflow import Workflow
from torch.utils.hooks import RemovableHandle

from common.cohorts.labels.permutation import are_permuted
from common.handlers.evaluation_report import CONFUSION, PAGE, PREDICTIONS, EvaluationReport, Judged
from common.handlers.grad_cam import GradCamDrawer, View, write_heat_maps
from common.handlers.survival_days import SurvivalDays
from common.metrics.baselines import RECORDED, fit_baselines
from common.metrics.patient_predictions import to_patients, unit_of
from common.metrics.temperature import fit_temperature
from common.records import MASK_CLASSES, Record, scan_of
from common.reports.classification.components import principal_components
from common.reports.classification.page import write_page
from common.reports.classification.summary import summarise_classification
from common.reports.classification.verdict import judge_evidence
from common.shortcuts.probe import ShortcutReport, probe_shortcuts
from common.shortcuts.trait_tables import trait_tables

HEAT_MAPS, SAMPLES, MASK_FEATURES = "heat_maps.npz", "samples.csv", "mask_features.csv"
MOST_PICTURES = 6
FEATURES = "features"

logger = logging.getLogger(__name__)


class ClassificationReport(EvaluationReport):
    """Collects the prediction for every sample of an evaluator and computes the measures when it is done.

    Writes ``predictions.csv`` (one row per patient, or per scan where patients have several), ``samples.csv`` (where
    they have several samples), ``confusion_matrix.csv``, ``metrics.json`` and ``report.html`` in ``output_dir``; every
    number of the page can be computed from the tables, without the images. Of masks, the samples hold the share of
    each channel, and ``mask_features.csv`` two principal components of the network's image features. Heat maps of
    slices that are drawn are in ``heat_maps.npz``.

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
        temperature: by which the network's logits were divided; on the validation side the one that fits is told.
    """

    of_sample = ("sample",)
    perhaps = (HEAT_MAPS, SAMPLES, MASK_FEATURES)

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
        temperature: float = 1.0,
    ) -> None:
        super().__init__(output_dir, task, judged, seed)
        self.classes, self.survival = tuple(classes), survival
        self.network, self.shortcuts, self.temperature = network, shortcuts, temperature
        self.records = judged.records if survival is None else survival.label(judged.records)
        self._features: Iterator[np.ndarray] = iter(())
        self._hook: RemovableHandle | None = None

    def start(self, engine: Workflow) -> None:
        """Discard earlier results, and see the image features of each batch where the network reduces them."""
        super().start(engine)
        branch = getattr(self.network, "image_branch", None)
        self._hook = branch.register_forward_hook(self._see_features) if branch else None

    def finish(self, engine: Workflow) -> None:
        """Write everything; the network is as it was before, since heat maps are made with copies of it."""
        if self._hook:
            self._hook.remove()
        super().finish(engine)

    def _see_features(self, _: torch.nn.Module, __: Any, features: torch.Tensor) -> None:
        self._features = iter(features.detach().float().cpu().numpy())

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
            "temperature": self.temperature,
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
            **(self._of_mask(item) if "tumour" in item else {}),
            "truth": self.classes[int(item["label"])],
            **{f"p_{name}": p for name, p in zip(self.classes, probabilities, strict=True)},
        }

    def _of_mask(self, item: Mapping[str, Any]) -> dict[str, Any]:
        shares = zip(MASK_CLASSES, item.get("shares", ()), strict=False)
        features = next(self._features, None)
        return {
            "tumour": bool(item["tumour"]),
            **{f"share_{name}": float(share) for name, share in shares},
            **({} if features is None else {FEATURES: features}),
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
        """Write the tables of samples and patients, the confusion matrix, the page and the metrics."""
        if FEATURES in rows:
            rows, self.facts["mask_features"] = self._write_features(rows)
        patients = to_patients(rows, self.classes)
        if self.survival is not None:
            patients = self.survival.add_days(patients, self._records_of(patients))
        summary = self._summarise(patients, rows)
        samples = rows if len(rows) > len(patients) else None
        if samples is not None:
            self.write_table(SAMPLES, samples)
        self.write_table(PREDICTIONS, patients)
        self.write_table(CONFUSION, pd.DataFrame(summary["confusion"]), header=False)
        heat_maps = self._draw(masks="tumour" in rows)
        write_page(self.output_dir / PAGE, summary, patients, self.records, heat_maps, samples)
        self.write_metrics(summary)
        return summary

    def _write_features(self, rows: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
        names = [*unit_of(rows), *self.of_sample, "tumour", "truth"]
        table, explained = principal_components(rows[names], list(rows[FEATURES]))
        if len(table):
            self.write_table(MASK_FEATURES, table)
        return rows.drop(columns=FEATURES), explained

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
        if self.judged.side == "validation":
            summary["fitted_temperature"] = fit_temperature(samples, self.classes, self.temperature).to_json()
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
