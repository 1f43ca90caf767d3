from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor

from common.errors import KnobError
from common.networks import BagInferer


class Recorder:
    """Two logits: the image's mean, and the clinical sum."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, image: Tensor, clinical: Tensor | None = None) -> Tensor:
        assert type(image) is Tensor
        self.batches.append(len(image))
        second = torch.zeros(len(image)) if clinical is None else clinical.sum(dim=1)
        return torch.stack([image.mean(dim=(1, 2, 3)), second], dim=1)


def test_a_bag_goes_through_in_chunks_and_keeps_its_order() -> None:
    bag = torch.arange(5.0).reshape(1, 5, 1, 1, 1).expand(1, 5, 3, 4, 4)
    network = Recorder()
    logits = BagInferer(2)(MetaTensor(bag), network, clinical=torch.tensor([[1.0, 2.0]]))
    assert network.batches == [2, 2, 1]
    assert logits.tolist() == [[[0.0, 3.0], [1.0, 3.0], [2.0, 3.0], [3.0, 3.0], [4.0, 3.0]]]


def test_a_batch_of_images_goes_through_as_it_is() -> None:
    network = Recorder()
    logits = BagInferer(2)(torch.ones(3, 1, 4, 4), network, clinical=torch.tensor([[1.0], [2.0], [3.0]]))
    assert network.batches == [3]
    assert logits.tolist() == [[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]]
    assert BagInferer()(torch.ones(1, 2, 1, 4, 4), network).tolist() == [[[1.0, 0.0], [1.0, 0.0]]]


def test_two_bags_at_a_time_and_no_batch() -> None:
    with pytest.raises(ValueError, match="one bag at a time, not 2"):
        BagInferer()(torch.ones(2, 3, 1, 4, 4), Recorder())
    bad: Any
    for bad in (0, -1, 2.5, True):
        with pytest.raises(KnobError, match="--inference_batch_size"):
            BagInferer(bad)
