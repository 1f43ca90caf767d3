"""Cross-entropies whose class weights balance the learning and leave the probabilities as they are."""

from __future__ import annotations

from torch import Tensor, nn


class WeightedCrossEntropy(nn.CrossEntropyLoss):
    """A weighted cross-entropy after which soft-max still gives the classes' natural probabilities.

    Weights w move the optimum of a cross-entropy from p(class | x) to a share of w p(class | x): with weights inverse
    to the classes' shares, to a cohort in which all classes are equally frequent. Here log w is added to the logits
    before the loss sees them; the network's own logits are those of p(class | x).

    Args:
        weight: float (class,), or ``None`` for equal weights.
        natural: false is PyTorch's loss: the network's probabilities are those of the weighted classes.

    References:
        King & Zeng, Logistic Regression in Rare Events Data, Political Analysis 9 (2001), prior correction; Menon et
        al., Long-tail learning via logit adjustment, ICLR 2021.
    """

    def __init__(self, weight: Tensor | None = None, natural: bool = True) -> None:
        super().__init__(weight)
        self.natural = natural

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """A single number from logits (batch, class) and labels (batch,)."""
        if self.natural and self.weight is not None:
            logits = logits + self.weight.log()
        return super().forward(logits, label)


class BatchCrossEntropy(WeightedCrossEntropy):
    """Sum of the weighted losses divided by the number of samples (P4).

    PyTorch's weighted mean divides by the sum of the samples' weights instead: in a batch of one, as P4's, the weight
    would cancel. The same holds for accumulated batches of one.

    Args:
        weight: float (class,), or ``None`` for equal weights.
        natural: as of :class:`WeightedCrossEntropy`; P4's own is false.
    """

    def __init__(self, weight: Tensor | None = None, natural: bool = True) -> None:
        super().__init__(weight, natural)
        self.reduction = "sum"

    def forward(self, logits: Tensor, label: Tensor) -> Tensor:
        """A single number from logits (batch, class) and labels (batch,)."""
        return super().forward(logits, label) / len(label)
