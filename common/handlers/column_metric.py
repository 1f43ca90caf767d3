"""A metric's columns (regions, classes) beside their mean, wherever an engine's metrics are shown."""

from __future__ import annotations

from ignite.engine import Engine
from monai.handlers import IgniteMetricHandler, from_engine

from common.metrics.column_mean import ColumnMean


class ColumnMetric(IgniteMetricHandler):
    """Logs the mean under the metric's name and each column under ``<name>_<column>``.

    Args:
        metric_fn: of ``pred`` and ``label``; the mean over its columns is the engine's metric.
    """

    def __init__(self, metric_fn: ColumnMean) -> None:
        super().__init__(metric_fn, output_transform=from_engine(["pred", "label"]))
        self.columns = metric_fn

    def completed(self, engine: Engine, name: str) -> None:
        """Add the mean and the columns to the engine's metrics."""
        super().completed(engine, name)
        for column, mean in self.columns.per_column().items():
            engine.state.metrics[f"{name}_{column}"] = mean
