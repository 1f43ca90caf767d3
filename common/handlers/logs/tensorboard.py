"""TensorBoard: the writer, the learning rate, and pictures of segmentations."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from ignite.engine import Events
from monai.engines.workflow import Workflow
from tensorboard.summary.writer.event_file_writer import _AsyncWriterThread
from torch.utils.tensorboard import SummaryWriter

from common.distributed import process_rank
from common.files import writing
from common.records import scan_of
from common.reports.pictures import draw_confusion, draw_segmentation_panel
from common.reports.segmentation_page import CLASS_NAMES, Panel


class RunWriter(SummaryWriter):
    """TensorBoard's writer, which tells what keeps it from writing as an error of ours.

    Its thread raises at the next call what went wrong in it.
    """

    def add_scalar(self, *args: Any, **settings: Any) -> None:
        """Write a number."""
        with writing(self.log_dir):
            super().add_scalar(*args, **settings)

    def add_figure(self, *args: Any, **settings: Any) -> None:
        """Write a picture."""
        with writing(self.log_dir):
            super().add_figure(*args, **settings)

    def forget_after(self, step: int) -> None:
        """Have TensorBoard leave out later steps of earlier files: an epoch that was interrupted comes again."""
        self.close()  # the next file begins with it
        self.purge_step = step + 1

    def flush(self) -> None:
        """Wait until everything is written."""
        with writing(self.log_dir):
            super().flush()


class SilentWriter(SummaryWriter):
    """Has the methods of TensorBoard's writer, and writes nothing."""

    def __init__(self) -> None:
        """Opens no file."""

    def add_scalar(self, *_: Any, **__: Any) -> None:
        """Write nothing."""

    def add_figure(self, *_: Any, **__: Any) -> None:
        """Write nothing."""

    def forget_after(self, _: int) -> None:
        """Nothing was written."""

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        """Nothing is open."""


def open_writer(output_dir: str | Path) -> RunWriter | SilentWriter:
    """The writer that all handlers of a run share, in ``<output_dir>/tensorboard``; only the first process writes.

    Raises:
        OutputError: the folder cannot be written to.
    """
    _leave_errors_to_the_writer()
    folder = Path(output_dir) / "tensorboard"
    with writing(folder):
        return RunWriter(str(folder)) if process_rank() == 0 else SilentWriter()


def _leave_errors_to_the_writer() -> None:
    """Keep the writer's thread from printing a traceback of what the writer tells at its next call."""
    previous = threading.excepthook
    if getattr(previous, "is_writers_hook", False):
        return

    def hook(args: threading.ExceptHookArgs) -> None:
        if not (isinstance(args.thread, _AsyncWriterThread) and isinstance(args.exc_value, OSError)):
            previous(args)

    hook.is_writers_hook = True  # type: ignore[attr-defined]
    threading.excepthook = hook


class LearningRateCurve:
    """Writes the learning rate once an epoch; in a run that is resumed, what was interrupted is left out first."""

    def __init__(self, optimizer: torch.optim.Optimizer, writer: RunWriter | SilentWriter) -> None:
        self.optimizer, self.writer, self.is_first = optimizer, writer, True

    def attach(self, engine: Workflow) -> None:
        """Register with a trainer."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Workflow) -> None:
        """Write the rate that the epoch starts with."""
        if self.is_first and engine.state.iteration > 0:  # those of iterations, which are never below epochs
            self.writer.forget_after(engine.state.iteration)
        self.is_first = False
        self.writer.add_scalar("learning_rate", self.optimizer.param_groups[0]["lr"], engine.state.epoch)


class SegmentationPictures:
    """Writes panels of image, truth and prediction for the first volumes, and a confusion matrix over all voxels.

    In a distributed run these are the volumes of the first process.

    Args:
        writer: shared by the handlers of a run.
        volumes: how many volumes to draw.
    """

    def __init__(self, writer: SummaryWriter, volumes: int = 4) -> None:
        self.writer, self.volumes = writer, volumes
        self.confusion = np.zeros((), dtype=np.int64)

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator; the first process draws."""
        if process_rank() > 0:
            return
        engine.add_event_handler(Events.EPOCH_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.collect)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, _: Workflow) -> None:
        """Discard the last validation."""
        self.confusion = np.zeros((), dtype=np.int64)

    def collect(self, engine: Workflow) -> None:
        """Count the voxels of a volume and draw its slice with the most tumour."""
        pairs = zip(engine.state.batch, engine.state.output, strict=True)
        for number, (item, output) in enumerate(pairs, start=engine.state.iteration - 1):
            logits = output["pred"]
            prediction = logits.argmax(dim=0)
            panel = Panel.of_volume(scan_of(item), output["image"], output["label"], prediction, len(logits))
            self.confusion = self.confusion + panel.confusion
            if number < self.volumes:
                figure = draw_segmentation_panel(panel.image, panel.truth, panel.prediction, panel.name)
                self.writer.add_figure(f"panels/{number}", figure, engine.state.epoch)

    def finish(self, engine: Workflow) -> None:
        """Draw the confusion matrix."""
        figure = draw_confusion(self.confusion, CLASS_NAMES[: len(self.confusion)])
        self.writer.add_figure("confusion_matrix", figure, engine.state.epoch)
        self.writer.flush()
