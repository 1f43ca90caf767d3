"""A metric's columns (regions, classes) beside their mean, wherever an engine's metrics are shown."""

from __future__ import annotations

import zlib
from typing import Any

import torch
from ignite.engine import Engine
from monai.handlers import IgniteMetricHandler, from_engine

from common.metrics.column_mean import ColumnMean


class ColumnMetric(IgniteMetricHandler):
    """Logs the metric under its name and each of its columns under ``<prefix>_<column>``.

    Args:
        metric_fn: of ``pred`` and ``label``; what it aggregates is the engine's metric.
        prefix: of the columns' names; by default the metric's name.
        per: a key of the items, such as ``subject``: the metric gets a number for its value beside each label, by which
            it can take together what is of one patient. ``None`` for every item on its own.
    """

    def __init__(self, metric_fn: ColumnMean, prefix: str | None = None, per: str | None = None) -> None:
        super().__init__(metric_fn, output_transform=from_engine(["pred", "label"]))
        self.columns, self.prefix, self.per = metric_fn, prefix, per

    def iteration_completed(self, engine: Engine) -> None:
        """Give the metric a decollated batch."""
        if self.per is None:
            super().iteration_completed(engine)
            return
        items: Any = engine.state.batch  # MONAI's evaluator has taken it apart
        predicted, labels = self._output_transform(engine.state.output)
        groups = [zlib.crc32(str(item[self.per]).encode()) for item in items]
        pairs = [torch.tensor([int(label), group]) for label, group in zip(labels, groups, strict=True)]
        self.update((predicted, pairs))

    def completed(self, engine: Engine, name: str) -> None:
        """Add the mean and the columns to the engine's metrics."""
        super().completed(engine, name)
        for column, mean in self.columns.per_column().items():
            engine.state.metrics[f"{self.prefix or name}_{column}"] = mean
