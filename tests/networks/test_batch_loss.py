from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from common.networks import BatchCrossEntropy

WEIGHT = torch.tensor([0.8, 0.2, 0.5])


def gradient(loss: nn.Module, label: list[int]) -> torch.Tensor:
    logits = torch.zeros(len(label), 3, requires_grad=True)
    loss(logits, torch.tensor(label)).backward()
    assert logits.grad is not None
    return logits.grad


def test_sum_of_weighted_losses_by_the_number_of_samples() -> None:
    """Three logits alike cost log 3 each: (0.8 + 0.2 + 0.2) log 3 / 3."""
    value = BatchCrossEntropy(WEIGHT)(torch.zeros(3, 3), torch.tensor([0, 1, 1]))
    assert float(value) == pytest.approx(0.4 * math.log(3))
    assert value.ndim == 0


@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_weight_acts_on_the_gradient_of_a_single_sample(label: int) -> None:
    """As it does not with PyTorch's weighted mean, in which it cancels."""
    plain = gradient(BatchCrossEntropy(), [label])
    torch.testing.assert_close(gradient(BatchCrossEntropy(WEIGHT), [label]), WEIGHT[label] * plain)
    torch.testing.assert_close(gradient(nn.CrossEntropyLoss(WEIGHT), [label]), plain)


def test_without_weights_it_is_the_mean() -> None:
    logits, label = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 2])
    torch.testing.assert_close(BatchCrossEntropy()(logits, label), nn.CrossEntropyLoss()(logits, label))


def test_the_weight_goes_with_the_loss() -> None:
    assert BatchCrossEntropy(WEIGHT).to(torch.float64).weight.dtype == torch.float64
