from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Resize
from torch import Tensor, nn

from common.errors import DatasetError, KnobError
from common.networks import BagInferer, ImageInferer
from common.networks.inferers import FlipSliceInferer


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


class Pointwise(nn.Module):
    """Equivariant to every flip: each pixel for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, image: Tensor) -> Tensor:
        self.sizes.append(tuple(image.shape))
        return torch.cat([image * 2, 1 - image, image.square()], dim=1)


class FirstRow(nn.Module):
    """Says class 1 for sure in the first row, whatever the image; elsewhere undecided between the two classes."""

    def forward(self, image: Tensor) -> Tensor:
        logits = torch.zeros(len(image), 2, *image.shape[2:])
        logits[:, 1, 0] = 50.0
        return logits


def volume() -> Tensor:
    return torch.randn(1, 1, 5, 7, 3, generator=torch.Generator().manual_seed(0))


def test_whole_axial_slices_are_segmented_one_by_one() -> None:
    network = Pointwise()
    logits = FlipSliceInferer(slice_batch_size=2)(volume(), network)
    assert network.sizes == [(2, 1, 5, 7), (1, 1, 5, 7)]
    expected = torch.cat([volume() * 2, 1 - volume(), volume().square()], dim=1)
    torch.testing.assert_close(logits, expected)


def test_one_inferer_serves_volumes_of_all_sizes() -> None:
    inferer = FlipSliceInferer()
    for shape in ((5, 7, 3), (9, 4, 6), (5, 7, 1)):
        assert inferer(torch.zeros(1, 1, *shape), Pointwise()).shape == (1, 3, *shape)


@pytest.mark.parametrize(("flips", "passes"), [([0], 2), ([1], 2), ([0, 1], 4), ((1, 0), 4)])
def test_an_equivariant_network_gains_nothing(flips: Any, passes: int) -> None:
    network = Pointwise()
    averaged = FlipSliceInferer(flips=flips)(volume(), network)
    assert len(network.sizes) == passes
    plain = FlipSliceInferer()(volume(), Pointwise())
    torch.testing.assert_close(averaged.softmax(dim=1), plain.softmax(dim=1), atol=1e-5, rtol=0)
    torch.testing.assert_close(averaged.exp().sum(dim=1), torch.ones(1, 5, 7, 3))


def test_the_average_by_hand() -> None:
    """Along x, the first row is 1 in the plain copy and the last in the mirrored one; the others say one half."""
    image = torch.zeros(1, 1, 4, 3, 2)
    rows = FlipSliceInferer(flips=[0])(image, FirstRow()).exp()[0, 1, :, 0, 0]
    torch.testing.assert_close(rows, torch.tensor([0.75, 0.5, 0.5, 0.75]), atol=1e-5, rtol=0)
    rows = FlipSliceInferer(flips=[1])(image, FirstRow()).exp()[0, 1, :, 0, 0]
    torch.testing.assert_close(rows, torch.tensor([1, 0.5, 0.5, 0.5]), atol=1e-5, rtol=0)
    rows = FlipSliceInferer(flips=[0, 1])(image, FirstRow()).exp()[0, 1, :, 2, 1]
    torch.testing.assert_close(rows, torch.tensor([0.75, 0.5, 0.5, 0.75]), atol=1e-5, rtol=0)


def test_probabilities_are_averaged_not_logits() -> None:
    class Sure(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0

        def forward(self, image: Tensor) -> Tensor:
            self.calls += 1
            logits = torch.zeros(len(image), 2, *image.shape[2:])
            logits[:, 0] = torch.log(torch.tensor(9.0)) if self.calls == 1 else torch.log(torch.tensor(0.25))
            return logits

    averaged = FlipSliceInferer(flips=[0])(torch.zeros(1, 1, 2, 2, 1), Sure()).exp()
    torch.testing.assert_close(averaged[0, 0], torch.full((2, 2, 1), (0.9 + 0.2) / 2))


def test_certainty_stays_finite() -> None:
    assert FlipSliceInferer(flips=[1])(torch.full((1, 1, 2, 2, 1), 1e4), Pointwise()).isfinite().all()


@pytest.mark.parametrize("flips", [[2], [-1], [0, 0], "[0, 1]", 1.5, [0, "1"]])
def test_axes_that_are_not_in_the_plane(flips: Any) -> None:
    with pytest.raises(KnobError, match="--flips"):
        FlipSliceInferer(flips=flips)


def test_clinical_values_ride_with_the_image() -> None:
    """MONAI Label adds the batch's axis and calls ``inferer(image, network)``."""
    image = MetaTensor(torch.ones(1, 4, 4), meta={"clinical": [1.0, 2.0]})
    assert BagInferer(in_clinical=2)(image[None].to("cpu"), Recorder()).tolist() == [[1.0, 3.0]]
    bag = MetaTensor(torch.ones(3, 1, 4, 4), meta={"clinical": [1.0, 2.0]})
    assert BagInferer(2, in_clinical=2)(bag[None], Recorder()).tolist() == [[[1.0, 3.0]] * 3]


@pytest.mark.parametrize(
    "image",
    [
        torch.ones(1, 1, 4, 4),
        MetaTensor(torch.ones(1, 1, 4, 4)),
        MetaTensor(torch.ones(1, 1, 4, 4), meta={"clinical": [1.0]}),
        MetaTensor(torch.ones(2, 1, 4, 4), meta={"clinical": [1.0, 2.0]}),
    ],
)
def test_there_is_no_answer_without_them(image: Tensor) -> None:
    network = Recorder()
    with pytest.raises(DatasetError, match="takes 2 clinical values"):
        BagInferer(in_clinical=2)(image, network)
    assert not network.batches


def test_a_whole_image_goes_through_without_its_metadata() -> None:
    logits = ImageInferer()(MetaTensor(torch.full((2, 1, 4, 4), 3.0)), Recorder())
    assert type(logits) is Tensor
    assert logits.tolist() == [[3.0, 0.0]] * 2


def test_slices_are_resized_for_the_network_and_its_logits_are_resized_back() -> None:
    """As P3's network was trained: on whole slices that MONAI's Resize made larger."""
    seen: list[Tensor] = []

    def network(slices: Tensor) -> Tensor:
        seen.append(slices)
        return torch.cat([slices, 1 - slices], dim=1)

    volume = torch.rand(1, 1, 6, 4, 3, generator=torch.Generator().manual_seed(0))
    logits = FlipSliceInferer(slice_batch_size=2, slice_size=[9, 8])(MetaTensor(volume), network)
    assert [tuple(batch.shape) for batch in seen] == [(2, 1, 9, 8), (1, 1, 9, 8)]
    resized = Resize(spatial_size=(9, 8), mode="bilinear")
    for place, batch in enumerate(torch.cat(seen)):
        torch.testing.assert_close(batch, resized(volume[0, ..., place]).as_tensor())
    assert logits.shape == (1, 2, 6, 4, 3)
    torch.testing.assert_close(logits.sum(dim=1), torch.ones(1, 6, 4, 3))
    plain = FlipSliceInferer(slice_size=None)(volume, network)
    assert torch.equal(plain[:, :1], volume)
