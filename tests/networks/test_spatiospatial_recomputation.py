from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from common.networks import SpatioSpatialClassifier


def trained(network: SpatioSpatialClassifier, steps: int = 2) -> dict[str, Tensor]:
    """Weights, running statistics and last gradients after a few steps on the same volumes."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01)
    volumes = torch.rand(steps, 2, 1, 16, 24, 16, generator=torch.Generator().manual_seed(1))
    for volume in volumes:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(volume), torch.tensor([0, 2])).backward()
        optimizer.step()
    gradients = {f"gradient of {name}": weight.grad for name, weight in network.named_parameters()}
    return {**network.state_dict(), **{name: value for name, value in gradients.items() if value is not None}}


def build(**knobs: Any) -> SpatioSpatialClassifier:
    torch.manual_seed(0)
    return SpatioSpatialClassifier("r3d_10", dropout=0, **knobs).train()


def test_what_is_computed_again_learns_the_same_and_counts_a_batch_once() -> None:
    once, again = trained(build()), trained(build(checkpointing=True))
    assert once.keys() == again.keys()
    for name, value in once.items():
        torch.testing.assert_close(again[name], value, msg=name, rtol=1e-4, atol=1e-6)
    assert int(again["backbone.layer1.0.conv1.1.num_batches_tracked"]) == 2


def kept_bytes(network: SpatioSpatialClassifier) -> int:
    """Bytes that a forward pass keeps for the backward pass, weights left out."""
    weights = {weight.data_ptr() for weight in network.parameters()}
    kept: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        logits = network(torch.rand(1, 1, 32, 32, 32))
    logits.sum().backward()
    return sum(kept.values())


def test_less_is_kept() -> None:
    assert kept_bytes(build(checkpointing=True)) < 0.5 * kept_bytes(build())


@pytest.mark.parametrize("mode", ["eval", "no gradients"])
def test_nothing_is_kept_or_computed_again_where_nothing_learns(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = build(checkpointing=True).train(mode == "no gradients")
    monkeypatch.setattr(SpatioSpatialClassifier, "_recomputed", lambda *_: pytest.fail("computed again"))
    with torch.set_grad_enabled(mode == "eval"):
        assert network(torch.rand(2, 1, 16, 16, 16)).shape == (2, 3)
