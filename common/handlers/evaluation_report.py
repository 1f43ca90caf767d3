"""What every evaluation does: collect a row per sample, gather the processes, write tables, measures and a page."""

from __future__ import annotations

import logging
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import pandas as pd
import torch.distributed
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.cohorts.phantom_mark import is_phantom
from common.files import write_json
from common.formats.spreadsheets import read_frame, write_frame
from common.handlers.logs.training_history import HISTORY
from common.locks import release
from common.metrics.patient_predictions import unit_of
from common.records import Record
from common.reports.key_result import key_result
from common.running import versions_here
from common.splits.evaluations import count_evaluation
from common.splits.guard import recipe_of
from common.splits.manifest import SplitManifest
from common.tasks.registry import find_task
from common.transforms.probabilities import check_answer

PREDICTIONS, CONFUSION, METRICS, PAGE = "predictions.csv", "confusion_matrix.csv", "metrics.json", "report.html"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judged:
    """What is judged: which weights, on which side of which split.

    Args:
        records: the whole cohort, for the shortcut probe and the values of the judged patients.
        split: of the run.
        side: which side is judged.
        provenance: of the weights.
        train: the labelled training records, for the baselines of a classification.
    """

    records: Sequence[Record]
    split: SplitManifest
    side: str
    provenance: Mapping[str, Any]
    train: Sequence[Record] = ()


class EvaluationReport(ABC):
    """Collects a row and, where there is one, a picture of every sample; writes the results when all are seen.

    A sample that a sampler repeats counts once. Of several processes the first one writes.

    Args:
        output_dir: the run folder.
        task: name of the task, which decides the words and the printed numbers of the page.
        judged: which weights, on which patients.
        seed: of the bootstrap.
    """

    of_weights: tuple[str, ...] = ("bundle", "version", "protocol", "epoch", "chosen_on", "kept")
    """What the results tell of the provenance."""

    of_sample: tuple[str, ...] = ()
    """What names a row, beside the patient or the scan."""

    perhaps: tuple[str, ...] = ()
    """Files that some evaluations write and others do not."""

    def __init__(self, output_dir: str | Path, task: str, judged: Judged, seed: int = 0) -> None:
        self.output_dir, self.task, self.judged, self.seed = Path(output_dir), find_task(task), judged, seed
        self.records = judged.records
        self.device, self.begun = "", 0.0
        self.facts: dict[str, Any] = {}
        self.rows: list[dict[str, Any]] = []
        self.pictures: dict[str, Any] = {}

    def describe(self) -> dict[str, Any]:
        """What ``metrics.json`` says of the run and of its weights, which are loaded when an evaluation starts."""
        judged = self.judged
        return {
            "recipe": recipe_of(judged.provenance),
            "protocol": judged.split.protocol,
            "split_hash": judged.split.hash,
            "side": judged.side,
            "weights": {key: judged.provenance.get(key) for key in self.of_weights} | self._members(),
            "made_with": {**versions_here(), "device": self.device},
        }

    @abstractmethod
    def measure(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> dict[str, Any]:
        """The row of a sample, but for its names."""

    @abstractmethod
    def keep_picture(self, item: Mapping[str, Any], output: Mapping[str, Any]) -> None:
        """Keep in :attr:`pictures` what the page will show of a sample."""

    @abstractmethod
    def write(self, rows: pd.DataFrame) -> dict[str, Any]:
        """Write the tables, then the page, and last the metrics, by which later commands know that all is there.

        Args:
            rows: one per sample, in the order of their names.

        Returns:
            The metrics.
        """

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Workflow) -> None:
        """Discard the results of an earlier evaluation."""
        self.device = _name_of(getattr(engine.state, "device", torch.device("cpu")))
        self.rows, self.pictures = [], {}
        self.begun = time.monotonic()
        self.facts = self.describe()

    def collect(self, engine: Workflow) -> None:
        """Add a row for each sample of the batch.

        Raises:
            CheckpointError: the network's answer is no number.
        """
        for item, output in zip(engine.state.batch, engine.state.output, strict=True):
            names = {key: str(item[key]) for key in ("subject", "scan") if item.get(key) is not None}
            check_answer(output["pred"], item, getattr(self.judged.provenance, "files", "the weights"))
            self.rows.append({**names, **self.measure(item, output)})
            self.keep_picture(item, output)

    def finish(self, _: Workflow) -> None:
        """Gather the processes, write everything, and let other runs write into the folder."""
        self._gather()
        if idist.get_rank() > 0:
            return
        self.records = mark_phantoms(self.records)
        self.facts["phantom"] = any(record["phantom"] for record in self.records)
        self._count_evaluation()
        self.facts["seconds"] = self._run_times()
        for name in (METRICS, *self.perhaps):  # of an earlier evaluation
            (self.output_dir / name).unlink(missing_ok=True)
        self._log(self.write(self._sorted_rows()))
        release(self.output_dir)

    def _members(self) -> dict[str, int]:
        """How many networks an ensemble has."""
        found = self.judged.provenance.get("members")
        return {"members": found} if found else {}

    def _run_times(self) -> dict[str, float]:
        """How long the evaluation took so far and, where its epochs are recorded in this folder, the training."""
        history = self.output_dir / HISTORY
        trained = {"training": float(read_frame(history)["seconds"].sum())} if history.is_file() else {}
        return {**trained, "evaluation": time.monotonic() - self.begun}

    def _count_evaluation(self) -> None:
        """Tell how often the test side was judged; weights without a file, as a federated client's, are not counted."""
        weights = getattr(self.judged.provenance, "hash", None)
        if self.judged.side == "test" and weights:
            self.facts["test_evaluations"] = count_evaluation(self.output_dir, self.judged.split, weights)

    def write_metrics(self, summary: Mapping[str, Any]) -> None:
        """Write ``metrics.json`` into the run folder."""
        write_json(self.output_dir / METRICS, summary)

    def write_table(self, name: str, table: pd.DataFrame, header: bool = True) -> None:
        """Write a table into the run folder, atomically."""
        write_frame(self.output_dir / name, table, header)

    def _gather(self) -> None:
        if idist.get_world_size() == 1:
            return
        gathered: list[Any] = [None] * idist.get_world_size()
        torch.distributed.all_gather_object(gathered, (self.rows, self.pictures))
        self.rows = [row for rows, _ in gathered for row in rows]
        pictures = {name: picture for _, found in gathered for name, picture in found.items()}
        self.pictures = {name: pictures[name] for name in sorted(pictures)}

    def _sorted_rows(self) -> pd.DataFrame:
        rows = pd.DataFrame(self.rows)
        if "scan" in rows:
            rows["scan"] = rows["scan"].fillna(rows["subject"])
        names = [*unit_of(rows), *self.of_sample]
        return rows.drop_duplicates(names).sort_values(names, ignore_index=True)

    def _log(self, summary: Mapping[str, Any]) -> None:
        title, found = key_result(summary)
        counted = self.task.nouns_under(self.facts["protocol"]).count(summary["patients"])
        opening = summary.get("verdict", {}).get("sentences", ())[:1]
        told = (f"{title} of {counted}: {found['mean']:.3f}.", *opening, f"Report: {self.output_dir / PAGE}")
        logger.info("%s", " ".join(told))


def _name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{platform.machine()} CPU"


def mark_phantoms(records: Sequence[Record]) -> list[Record]:
    """The records with ``phantom``; later steps read the mark and open no image.

    Returns:
        Copies; the header of an image is read for records that do not have ``phantom`` yet.
    """
    return [record if "phantom" in record else {**record, "phantom": is_phantom(record)} for record in records]
