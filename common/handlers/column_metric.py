"""A metric's columns (regions, classes) beside their mean, wherever an engine's metrics are shown."""

from __future__ import annotations

from ignite.engine import Engine
from monai.handlers import IgniteMetricHandler, from_engine

from common.metrics.column_mean import ColumnMean


class ColumnMetric(IgniteMetricHandler):
    """Logs the metric under its name and each of its columns under ``<prefix>_<column>``.

    Args:
        metric_fn: of ``pred`` and ``label``; what it aggregates is the engine's metric.
        prefix: of the columns' names; by default the metric's name.
    """

    def __init__(self, metric_fn: ColumnMean, prefix: str | None = None) -> None:
        super().__init__(metric_fn, output_transform=from_engine(["pred", "label"]))
        self.columns, self.prefix = metric_fn, prefix

    def completed(self, engine: Engine, name: str) -> None:
        """Add the mean and the columns to the engine's metrics."""
        super().completed(engine, name)
        for column, mean in self.columns.per_column().items():
            engine.state.metrics[f"{self.prefix or name}_{column}"] = mean
