"""A weighted cross-entropy whose weights also count in batches of one."""

from __future__ import annotations

from torch import Tensor, nn


class BatchCrossEntropy(nn.CrossEntropyLoss):
    """Sum of the weighted losses divided by the number of samples (P4).

    PyTorch's weighted mean divides by the sum of the samples' weights instead: in a batch of one, as P4's, the weight
    would cancel. The same holds for accumulated batches of one.

    Args:
        weight: float (class,), or ``None`` for equal weights.
    """

    def __init__(self, weight: Tensor | None = None) -> None:
        super().__init__(weight, reduction="sum")

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """A single number from logits (batch, class) and labels (batch,)."""
        return super().forward(logits, label) / len(label)
