"""The weights that are trained."""

from __future__ import annotations

from torch import nn


def trainable_weights(network: nn.Module) -> list[nn.Parameter]:
    """The weights that are not frozen, for an optimiser."""
    return [weight for weight in network.parameters() if weight.requires_grad]
