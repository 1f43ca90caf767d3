"""The base of metrics with a value for each item and each column (region or class), averaged at the end."""

from __future__ import annotations

import torch
from monai.metrics import CumulativeIterationMetric


class ColumnMean(CumulativeIterationMetric):
    """Collects rows of shape (B, columns); MONAI gathers the ranks of a distributed run.

    For MONAI's ``IgniteMetricHandler``: ``aggregate()`` is the scalar that it logs, and a second instance with a
    ``column`` logs that column alone.

    Args:
        column: one of :attr:`columns` for that column's mean; ``None`` for the mean over all of them.

    Raises:
        ValueError: there is no such column.
    """

    columns: tuple[str, ...] = ()

    def __init__(self, column: str | None = None) -> None:
        super().__init__()
        if column is not None and column not in self.columns:
            raise ValueError(f"'{column}' is none of {', '.join(self.columns)}")
        self.column = column

    def aggregate(self) -> torch.Tensor:
        """The mean over all items, and over all columns or of the one that was chosen.

        Raises:
            ValueError: nothing was collected.
        """
        rows = self._rows()
        return rows.mean() if self.column is None else rows[:, self.columns.index(self.column)].mean()

    def per_column(self) -> dict[str, float]:
        """The mean over all items of each column.

        Returns:
            Each of :attr:`columns` with its mean.

        Raises:
            ValueError: nothing was collected.
        """
        return dict(zip(self.columns, self._rows().mean(dim=0).tolist(), strict=True))

    def _rows(self) -> torch.Tensor:
        rows = self.get_buffer()
        if not isinstance(rows, torch.Tensor):
            raise ValueError(f"{type(self).__name__} has seen no item yet")
        return rows
