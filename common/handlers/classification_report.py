"""Writes the results of a classifier's evaluation: tables of samples and patients, metrics, pictures, and a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import pandas as pd
import torch
import torch.distributed
from ignite.engine import Events
from matplotlib.figure import Figure
from monai.engines.workflow import Workflow

from common.cohorts.labels.permutation import are_permuted
from common.cohorts.labels.survival_classes import SurvivalClasses
from common.files import atomic_path, write_json
from common.handlers.grad_cam import GradCamDrawer, View
from common.handlers.phantom_records import mark_phantoms
from common.knobs import as_bool
from common.metrics.baselines import RECORDED, fit_baselines
from common.metrics.judgement import probabilities_of
from common.metrics.patient_predictions import to_patients, unit_of
from common.metrics.survival_measures import predict_days, summarise_survival
from common.records import Record, scan_of, value_of
from common.reports.classification.page import write_page
from common.reports.classification.summary import summarise_classification
from common.reports.classification.verdict import judge_evidence
from common.reports.nouns import nouns_of
from common.shortcuts.probe import ShortcutReport, probe_shortcuts
from common.splits.manifest import SplitManifest

MOST_PICTURES = 6

logger = logging.getLogger(__name__)


class ClassificationReport:
    """Collects the prediction for every sample of an evaluator and computes the measures when it is done.

    Writes ``predictions.csv`` (one row per patient, or per scan where patients have several), ``samples.csv`` (where
    they have several samples), ``confusion_matrix.csv``, ``metrics.json`` and ``report.html`` in ``output_dir``; every
    number of the page can be computed from the tables, without the images.

    Args:
        output_dir: the run folder.
        records: the whole cohort with ``label``, for the shortcut probe and the clinical values of the judged patients;
            for survival it may hold patients without a class, which are counted as set aside.
        train: the labelled training records, for the baselines.
        split: of the run.
        side: which side is judged.
        provenance: of the weights.
        classes: their names, in the order of the labels.
        target: key of the label that the shortcut probe predicts, ``grade`` or ``label``.
        seed: of the bootstrap.
        survival: the classes of survival, where that is judged.
        median_days: median training days of each of them.
        network: draws a heat map of up to six patients.
        brats_survival: also compute BraTS's measures of survival.
        task: decides the page's title and the printed numbers on it; ``survival`` or the target by default.
        shortcuts: the probe's result where it has run already, as of :func:`common.shortcuts.probe.probe_sources`.
    """

    def __init__(
        self,
        output_dir: str | Path,
        records: Sequence[Record],
        train: Sequence[Record],
        split: SplitManifest,
        side: str,
        provenance: Mapping[str, Any],
        classes: Sequence[str],
        target: str,
        seed: int = 0,
        survival: SurvivalClasses | None = None,
        median_days: Sequence[float] | None = None,
        network: torch.nn.Module | None = None,
        brats_survival: bool | str = False,
        task: str | None = None,
        shortcuts: ShortcutReport | None = None,
    ) -> None:
        self.output_dir, self.train, self.classes = Path(output_dir), train, tuple(classes)
        self.records: Sequence[Record] = (
            records if survival is None else [{**r, "label": survival.label(r)} for r in records]
        )
        self.target, self.seed, self.network = target, seed, network
        self.survival, self.median_days = survival, median_days
        self.brats_survival = as_bool(brats_survival, "brats_survival")
        self.shortcuts = shortcuts
        settings = provenance.get("settings") or {}
        self.facts = {
            "target": task or (target if survival is None else "survival"),
            "backbone": settings.get("backbone"),
            "protocol": split.protocol,
            "unit": split.unit,
            "split_hash": split.hash,
            "side": side,
            "permuted_labels": are_permuted([*records, *train]),
            "weights": {key: provenance.get(key) for key in ("bundle", "version", "protocol", "epoch")},
            "sees_clinical": bool(settings.get("clinical")),
        }
        self.drawing: dict[str, Any] = {
            "modalities": settings.get("modalities", ()),
            "orientation": (provenance.get("slices") or {}).get("orientation", "LPS"),
            "volumes": "volume_size" in settings,
        }
        self.rows: list[dict[str, Any]] = []
        self.shown: dict[str, View] = {}

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Discard the results of an earlier evaluation."""
        self.rows, self.shown = [], {}

    def collect(self, engine: Workflow) -> None:
        """Add a row for each sample of the batch."""
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            probabilities = torch.as_tensor(output["pred"]).detach().double().cpu().softmax(dim=0)
            self.rows.append(self._row(item, probabilities.tolist()))
            if self.network is not None:
                self._keep(item, output)

    def finish(self, _: Workflow) -> None:
        """Gather the ranks and write everything."""
        self._gather()
        if idist.get_rank() > 0:
            return
        self.records = mark_phantoms(self.records)
        samples = self._samples()
        rows = self._patients(samples)
        summary = self._summarise(rows, samples)
        if len(samples) > len(rows):
            self._write_table("samples.csv", samples)
        self._write_table("predictions.csv", rows)
        self._write_table("confusion_matrix.csv", pd.DataFrame(summary["confusion"]), header=False)
        write_json(self.output_dir / "metrics.json", summary)
        pictures = self._draw(rows, masks="tumour" in samples)
        write_page(self.output_dir / "report.html", summary, rows, self.records, pictures)
        area, report = summary["measures"]["auc"], self.output_dir / "report.html"
        judged = f"{len(rows)} {nouns_of(summary).cases}"
        logger.info("AUC of %s: %.3f. %s Report: %s", judged, area["mean"], _opening(summary), report)

    def _row(self, item: Mapping[str, Any], probabilities: Sequence[float]) -> dict[str, Any]:
        row: dict[str, Any] = {key: str(item[key]) for key in ("subject", "scan") if item.get(key) is not None}
        row["sample"] = int(item.get("slice", item.get("modality", 0)))
        if "tumour" in item:
            row["tumour"] = bool(item["tumour"])
        row["truth"] = self.classes[int(item["label"])]
        return {**row, **{f"p_{name}": p for name, p in zip(self.classes, probabilities, strict=True)}}

    def _keep(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        """Keep one image of each of the first patients: the slice with most tumour, or the most probable one."""
        subject = str(item["subject"])
        if subject not in self.shown and len(self.shown) == MOST_PICTURES:
            return
        view = View.of_patient(item, output, self.drawing["volumes"])
        earlier = self.shown.setdefault(subject, view)
        is_mask = "tumour" in item
        if view.image.sum() > earlier.image.sum() if is_mask else view.probability > earlier.probability:
            self.shown[subject] = view

    def _gather(self) -> None:
        if idist.get_world_size() == 1:
            return
        gathered: list[Any] = [None] * idist.get_world_size()
        torch.distributed.all_gather_object(gathered, (self.rows, self.shown))
        self.rows = [row for rows, _ in gathered for row in rows]
        shown = {subject: view for _, found in gathered for subject, view in found.items()}
        self.shown = dict(sorted(shown.items())[:MOST_PICTURES])

    def _samples(self) -> pd.DataFrame:
        rows = pd.DataFrame(self.rows)
        if "scan" in rows:
            rows["scan"] = rows["scan"].fillna(rows["subject"])
        name = [*unit_of(rows), "sample"]
        return rows.drop_duplicates(name).sort_values(name, ignore_index=True)

    def _patients(self, samples: pd.DataFrame) -> pd.DataFrame:
        rows = to_patients(samples, self.classes)
        if self.median_days is None:
            return rows
        known = self._records_of(rows)
        return rows.assign(
            days=[float(value_of(record, "survival_days")) for record in known],
            alive=[bool(record.get("alive")) for record in known],
            predicted_days=predict_days(probabilities_of(rows, self.classes), self.median_days),
        )

    def _records_of(self, rows: pd.DataFrame) -> list[Record]:
        """The judged patients' records, in the order of the rows."""
        records = {_name(record): record for record in self.records}
        return [records[_name(row)] for row in rows.to_dict("records")]

    def _summarise(self, rows: pd.DataFrame, samples: pd.DataFrame) -> dict[str, Any]:
        recorded = [name for name in RECORDED if self.survival is None or name != "survival_days"]
        baselines = fit_baselines(self.train, self._records_of(rows), self.classes, self.seed, recorded)
        shortcuts = self.shortcuts or self._probe()
        facts = {**self.facts, "phantom": any(record["phantom"] for record in self.records)}
        summary = {**facts, **summarise_classification(rows, samples, self.classes, baselines, self.seed)}
        summary["shortcuts"] = shortcuts.to_json()
        summary["verdict"] = judge_evidence(summary).to_json()
        days_belong = not self.facts["permuted_labels"]  # a shuffled class has no relation to the days
        if self.survival is not None and self.median_days is not None and days_belong:
            summary["survival"] = {
                **self.survival.to_json(),
                "median_days": list(self.median_days),
                "set_aside": sum(record["label"] is None for record in self.records),
                "measures": summarise_survival(rows, self.seed, self.brats_survival),
            }
        return summary

    def _probe(self) -> ShortcutReport:
        shortcuts = probe_shortcuts(self.records, self.target, self.seed)
        for warning in shortcuts.warnings:
            logger.warning("%s", warning)
        return shortcuts

    def _draw(self, rows: pd.DataFrame, masks: bool) -> dict[str, Figure]:
        """Heat maps under their captions."""
        if self.network is None:
            return {}
        drawer = GradCamDrawer(self.network, self.classes, masks=masks, **self.drawing)
        truth = rows.drop_duplicates("subject").set_index("subject")["truth"]
        return {
            f"{subject}: {truth[subject]}, predicted {self.classes[view.class_index]}.": drawer.draw(view)
            for subject, view in sorted(self.shown.items())
        }

    def _write_table(self, name: str, table: pd.DataFrame, header: bool = True) -> None:
        with atomic_path(self.output_dir / name) as path:
            table.to_csv(path, index=False, header=header)


def _name(row: Mapping[Any, Any]) -> tuple[str, str]:
    return str(row["subject"]), scan_of(row)


def _opening(summary: Mapping[str, Any]) -> str:
    return str(summary["verdict"]["sentences"][0])
