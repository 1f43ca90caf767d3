"""The score that the best epoch of a classifier is chosen by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from common.metrics.column_mean import ColumnMean
from common.metrics.judgement import judge


class ClassificationScore(ColumnMean):
    """Mean log-likelihood of the true classes, with the same weight for every class present; higher is better.

    It is a proper score: only the true probabilities maximise it, and every prediction changes it. The AUC depends on
    ranks alone. It is undefined when validation holds one class, changes in large steps when it holds few patients, and
    ignores how far the probabilities are apart. It is reported as a column, NaN where it is undefined.

    A call takes logits (B, K) and class indices (B,) or (B, 1), or lists of the same without B. An item is what
    B counts: a patient, or a slice where slices are classified.
    """

    columns = ("accuracy", "balanced_accuracy", "macro_f1", "auc")

    def aggregate(self) -> torch.Tensor:
        """The balanced mean log-likelihood, or the column that was chosen.

        Raises:
            ValueError: nothing was collected.
        """
        if self.column is not None:
            return torch.tensor(self.per_column()[self.column])
        rows = self._rows()
        label = rows[:, -1].long()
        likelihood = rows[:, :-1].gather(1, label[:, None])[:, 0]
        return torch.stack([likelihood[label == present].mean() for present in label.unique()]).mean()

    def per_column(self) -> dict[str, float]:
        """The measures of :func:`common.metrics.judge` over all items.

        Returns:
            Each of :attr:`columns` with its value.

        Raises:
            ValueError: nothing was collected.
        """
        rows = self._rows().cpu().numpy()
        classes = [str(label) for label in range(rows.shape[1] - 1)]
        measures = judge(rows[:, -1].astype(int), rows[:, :-1], classes)
        measures["balanced_accuracy"] = measures["macro_recall"]
        return {column: measures[column] for column in self.columns}

    def _compute_list(self, y_pred: Iterable[Any], y: Iterable[Any] | None = None, **kwargs: Any) -> torch.Tensor:
        """MONAI takes batches apart, where a label (B,) becomes plain numbers."""
        logits = torch.stack(list(y_pred))
        return self._compute_tensor(logits, None if y is None else torch.as_tensor([int(label) for label in y]))

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        """Log-probabilities and the label, (B, K + 1)."""
        if y is None:
            raise ValueError("a truth is needed")
        if y_pred.ndim != 2 or y.numel() != len(y_pred):
            raise ValueError(f"logits (B, K) and B labels are needed, not {tuple(y_pred.shape)} and {tuple(y.shape)}")
        logarithms = torch.log_softmax(y_pred.detach().double(), dim=1)
        return torch.cat([logarithms, y.reshape(-1, 1).to(logarithms)], dim=1)
