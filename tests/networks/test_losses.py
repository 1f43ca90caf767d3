from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from common.metrics.calibration import judge_calibration
from common.networks import BatchCrossEntropy, WeightedCrossEntropy
from common.transforms import class_weights

WEIGHT = torch.tensor([0.8, 0.2, 0.5])


def gradient(loss: nn.Module, label: list[int]) -> torch.Tensor:
    logits = torch.zeros(len(label), 3, requires_grad=True)
    loss(logits, torch.tensor(label)).backward()
    assert logits.grad is not None
    return logits.grad


def test_sum_of_weighted_losses_by_the_number_of_samples() -> None:
    """Three logits alike cost log 3 each: (0.8 + 0.2 + 0.2) log 3 / 3."""
    value = BatchCrossEntropy(WEIGHT, natural=False)(torch.zeros(3, 3), torch.tensor([0, 1, 1]))
    assert float(value) == pytest.approx(0.4 * math.log(3))
    assert value.ndim == 0


@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_weight_acts_on_the_gradient_of_a_single_sample(label: int) -> None:
    """As it does not with PyTorch's weighted mean, in which it cancels."""
    plain = gradient(BatchCrossEntropy(), [label])
    torch.testing.assert_close(gradient(BatchCrossEntropy(WEIGHT, natural=False), [label]), WEIGHT[label] * plain)
    torch.testing.assert_close(gradient(nn.CrossEntropyLoss(WEIGHT), [label]), plain)


@pytest.mark.parametrize("loss", [BatchCrossEntropy, WeightedCrossEntropy])
def test_without_weights_it_is_the_mean(loss: type[nn.Module]) -> None:
    logits, label = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 2])
    torch.testing.assert_close(loss()(logits, label), nn.CrossEntropyLoss()(logits, label))


def test_the_loss_sees_the_logits_of_equally_frequent_classes() -> None:
    """Probabilities .8 and .2 under weights 1/4 and 1 are .5 and .5 there: log 2, whichever class is true."""
    logits = torch.tensor([[0.8, 0.2]]).log()
    loss = WeightedCrossEntropy(torch.tensor([0.25, 1.0]))
    for label in (0, 1):
        assert float(loss(logits, torch.tensor([label]))) == pytest.approx(math.log(2))


def fit(loss: nn.Module, image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """The probabilities of the best line, by Newton's steps."""
    network = nn.Linear(1, 2).double()
    optimizer = torch.optim.LBFGS(network.parameters(), max_iter=100, line_search_fn="strong_wolfe")

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(network(image), label)
        value.backward()
        return value

    optimizer.step(step)
    return network(image).softmax(dim=1).detach()


@pytest.mark.parametrize(("natural", "calibrated"), [(True, True), (False, False)])
def test_balanced_learning_leaves_probabilities_calibrated(natural: bool, calibrated: bool) -> None:
    """As many LGG and HGG as in BraTS 2020, and an image whose best classifier is a line: two normal distributions."""
    draw = np.random.default_rng(0)
    label = np.repeat([0, 1], (76, 293))
    image = torch.from_numpy(draw.normal(label * 1.5)[:, None])
    weight = class_weights([{"label": each} for each in label], 2).double()
    truth = torch.from_numpy(label)
    probabilities = fit(WeightedCrossEntropy(weight, natural), image, truth).numpy()
    found = judge_calibration(label, probabilities, map(str, range(len(label))))
    assert (found.error <= found.of_calibrated) == calibrated
    assert (abs(probabilities[:, 1].mean() - 293 / 369) < 0.03) == calibrated


def test_the_weight_goes_with_the_loss() -> None:
    assert BatchCrossEntropy(WEIGHT).to(torch.float64).weight.dtype == torch.float64
