"""The score that the best epoch of a classifier is chosen by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from common.metrics.column_mean import ColumnMean
from common.metrics.judgement import judge


class ClassificationScore(ColumnMean):
    """Mean log-likelihood of the true classes; higher is better.

    It is a proper score: of probabilities at the classes' natural shares, as every network here gives them, only the
    true ones maximise it, and every prediction changes it. The AUC depends on ranks alone. It is undefined when
    validation holds one class, changes in large steps when it holds few patients, and ignores how far the probabilities
    are apart. It is reported as a column, NaN where it is undefined.

    A call takes logits (B, K) and class indices (B,) or (B, 1), or lists of the same without B. An item is what
    B counts: a patient, or a slice where slices are classified. Labels (B, 2) hold the number of the patient as well:
    then the mean of the patient's probabilities is what counts, as where patients are judged.
    """

    columns = ("log_likelihood", "accuracy", "balanced_accuracy", "macro_f1", "auc")

    def aggregate(self) -> torch.Tensor:
        """The mean log-likelihood, or the column that was chosen.

        Raises:
            ValueError: nothing was collected.
        """
        if self.column is not None:
            return torch.tensor(self.per_column()[self.column])
        return _mean_of_true(*self._items())

    def per_column(self) -> dict[str, float]:
        """The score itself, whatever was chosen, and measures of :func:`common.metrics.judge` over all items.

        Returns:
            Each of :attr:`columns` with its value.

        Raises:
            ValueError: nothing was collected.
        """
        logarithms, labels = self._items()
        classes = [str(label) for label in range(logarithms.shape[1])]
        measures = judge(labels.cpu().numpy(), logarithms.cpu().numpy(), classes)
        measures["balanced_accuracy"] = measures["macro_recall"]
        measures["log_likelihood"] = _mean_of_true(logarithms, labels).item()
        return {column: measures[column] for column in self.columns}

    def _items(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Log-probabilities (n, K) and labels (n,) of what is judged: each item, or each patient."""
        rows = self._rows()
        logarithms, labels, patients = rows[:, :-2], rows[:, -2].long(), rows[:, -1]
        if patients.isnan().all():
            return logarithms, labels
        names, places = patients.unique(return_inverse=True)
        sums = torch.zeros(len(names), logarithms.shape[1], dtype=torch.float64, device=rows.device)
        sums.index_add_(0, places, logarithms.exp())
        return (sums / places.bincount()[:, None]).log(), labels.new_zeros(len(names)).index_copy_(0, places, labels)

    def _compute_list(self, y_pred: Iterable[Any], y: Iterable[Any] | None = None, **kwargs: Any) -> torch.Tensor:
        """MONAI takes batches apart, where a label (B,) becomes plain numbers."""
        logits = torch.stack(list(y_pred))
        return self._compute_tensor(logits, None if y is None else torch.stack([torch.as_tensor(each) for each in y]))

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        """Log-probabilities, the label and the patient (NaN where it is not given), (B, K + 2)."""
        if y is None:
            raise ValueError("a truth is needed")
        if y_pred.ndim != 2 or y.numel() not in (len(y_pred), 2 * len(y_pred)):
            raise ValueError(f"logits (B, K) and B labels are needed, not {tuple(y_pred.shape)} and {tuple(y.shape)}")
        logarithms = torch.log_softmax(y_pred.detach().double(), dim=1)
        known = y.reshape(len(y_pred), -1).to(logarithms)
        patient = known[:, 1:] if known.shape[1] == 2 else torch.full_like(known, torch.nan)
        return torch.cat([logarithms, known[:, :1], patient], dim=1)


def _mean_of_true(logarithms: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    return logarithms.gather(1, labels[:, None]).mean()
