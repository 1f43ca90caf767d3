"""The curves of a run as a table: losses, accuracy and validation, one row an epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import pandas as pd
import torch
from ignite.engine import Events
from monai.engines.workflow import Workflow
from monai.utils.enums import CommonKeys
from torch.utils.tensorboard import SummaryWriter

from common.formats.spreadsheets import read_frame, write_frame

HISTORY = "history.csv"
ACCURACY = "train_accuracy"


class TrainingHistory:
    """Writes ``history.csv`` into the run folder after every epoch, and the accuracy in training to TensorBoard.

    Columns: ``epoch``, ``train_loss`` (mean over the samples, of the loss as it is minimised), ``train_accuracy`` (of
    classifications), ``seconds`` (of training, without validation), and what the evaluators measured, blank in an
    epoch without validation. Loss and accuracy are those of the steps themselves, as the papers' libraries
    print them: with augmentation and dropout, and of weights that change within the epoch.

    Args:
        evaluator: validates; its handler must stand before this one.
        output_dir: the run folder; of a run that is resumed the rows of whole epochs are kept.
        writer: of TensorBoard.
        more: other evaluators that run with it.
    """

    def __init__(
        self, evaluator: Workflow, output_dir: str | Path, writer: SummaryWriter, more: Sequence[Workflow] = ()
    ) -> None:
        self.evaluators, self.writer, self.path = (evaluator, *more), writer, Path(output_dir) / HISTORY
        self.sums: torch.Tensor | None = None

    def attach(self, engine: Workflow) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.add)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Forget the last epoch."""
        self.sums = None

    def add(self, engine: Workflow) -> None:
        """Add a step's samples; nothing is read from a GPU before the epoch ends."""
        output: Any = engine.state.output
        loss = torch.as_tensor(output[0][CommonKeys.LOSS]).detach().float()
        counted = torch.stack([loss * len(output), _count_right(output).to(loss), loss.new_tensor(len(output))])
        self.sums = counted if self.sums is None else self.sums + counted

    def finish(self, engine: Workflow) -> None:
        """Write the epoch's row; the first process does it, of the samples of all."""
        if self.sums is None:
            return
        loss, right, samples = torch.as_tensor(idist.all_reduce(self.sums)).tolist()
        if idist.get_rank() > 0:
            return
        row = {"epoch": engine.state.epoch, "train_loss": loss / samples}
        if not math.isnan(right):
            row[ACCURACY] = right / samples
            self.writer.add_scalar(ACCURACY, row[ACCURACY], engine.state.epoch)
        row["seconds"] = engine.state.times[Events.EPOCH_COMPLETED.name]
        for evaluator in self.evaluators:
            if evaluator.state.epoch == engine.state.epoch:
                row |= evaluator.state.metrics
        earlier = read_frame(self.path) if self.path.is_file() else pd.DataFrame({"epoch": []})
        kept = earlier[earlier["epoch"] < engine.state.epoch]
        write_frame(self.path, pd.concat([kept, pd.DataFrame([row])]) if len(kept) else pd.DataFrame([row]))


def _count_right(output: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    """How often the most probable class is the label; NaN where a label is no class of a whole sample."""
    predicted = torch.stack([item[CommonKeys.PRED].detach() for item in output])
    labels = torch.stack([torch.as_tensor(item[CommonKeys.LABEL]) for item in output]).to(predicted.device)
    if predicted.ndim != 2 or labels.numel() != len(predicted):
        return predicted.new_tensor(torch.nan)
    return (predicted.argmax(dim=1) == labels.reshape(-1)).sum()
