"""Dense layers of the fusion networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

LAYERS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class PatientBatchNorm(nn.BatchNorm1d):
    """Batch normalisation over patients that also takes a batch of one.

    One patient has no spread. Where a cohort's last batch is a single one (17 patients in batches of 16), it is
    normalised by the running statistics, as at inference, and leaves them as they are; so nobody has to be dropped.
    Several processes that share their statistics have more than one patient between them: there it becomes PyTorch's
    synchronised layer.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, width) → (batch, width)."""
        learns = self.training and input.shape[0] > 1
        if learns and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum or 0.0
        return F.batch_norm(input, mean, variance, self.weight, self.bias, learns, momentum, self.eps)


def dense_block(inputs: int, units: int, activation: str, dropout: float, batch_norm: bool = False) -> nn.Sequential:
    """Linear → batch normalisation (on request) → activation → dropout."""
    normalisation = [PatientBatchNorm(units)] if batch_norm else []
    return nn.Sequential(nn.Linear(inputs, units), *normalisation, LAYERS[activation](), nn.Dropout(dropout))


def clinical_layers(inputs: int, units: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers with an activation between them and none after the last; nothing at all for no units."""
    layers: list[nn.Module] = []
    for width in units:
        layers += [nn.Linear(inputs, width), LAYERS[activation]()]
        inputs = width
    return nn.Sequential(*layers[:-1])
