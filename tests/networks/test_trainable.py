from __future__ import annotations

from torch import nn

from common.networks import trainable_weights


def test_frozen_weights_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    assert trainable_weights(network) == list(network[1].parameters())
