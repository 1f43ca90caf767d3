from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from common.networks import FusionClassifier, grad_cam


class Spots(nn.Module):
    """Bright spots support class 0, dark ones class 1, nothing class 2."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(1, 2, 1, bias=False)
        self.filters.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.feature_maps = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        maps = self.feature_maps(nn.functional.avg_pool2d(self.filters(image).relu(), 8))
        logits = maps.mean(dim=(2, 3))
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], dim=1)


def spots(bright: float, dark: float) -> Tensor:
    """A bright spot at the upper left, a dark one at the lower right."""
    image = torch.zeros(1, 1, 64, 64)
    image[..., 8:16, 16:24], image[..., 48:56, 40:48] = bright, -dark
    return image


def peak(cam: Tensor) -> tuple[int, int]:
    return divmod(int(cam.argmax()), cam.shape[-1])


def test_each_sample_shows_the_evidence_for_its_own_class_and_no_other() -> None:
    """MONAI's Grad-CAM of a batch would show both spots in both."""
    cam = grad_cam(Spots(), torch.cat([spots(bright=9, dark=1), spots(bright=1, dark=5)]))
    assert cam.shape == (2, 1, 64, 64)
    assert cam.amax(dim=(1, 2, 3)).tolist() == [1, 1]
    assert cam.min() == 0
    rows, columns = zip(*map(peak, cam), strict=True)
    assert 8 <= rows[0] < 16 and 16 <= columns[0] < 24
    assert 48 <= rows[1] < 56 and 40 <= columns[1] < 48
    assert float(cam[0, 0, 48:56, 40:48].max()) == 0
    assert float(cam[1, 0, 8:16, 16:24].max()) == 0


def test_a_class_can_be_chosen_and_one_without_evidence_is_empty() -> None:
    image = spots(bright=9, dark=1)
    row, column = peak(grad_cam(Spots(), image, class_index=1))
    assert 48 <= row < 56 and 40 <= column < 48
    assert grad_cam(Spots(), image, class_index=2).tolist() == torch.zeros(1, 1, 64, 64).tolist()


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_the_network_stays_as_it_was(frozen: bool, mode: type) -> None:
    network = Spots().train()
    network.filters.requires_grad_(not frozen)
    gradient = torch.full_like(network.filters.weight, 7)
    network.filters.weight.grad = gradient.clone()
    with mode():
        cam = grad_cam(network, spots(1, 2))
    assert not cam.requires_grad
    assert float(cam.max()) == 1
    assert network.training and network.filters.weight.requires_grad is not frozen
    assert torch.equal(network.filters.weight.grad, gradient)
    assert not network.feature_maps._forward_hooks and not network.feature_maps._backward_hooks


@pytest.mark.parametrize("trainable", ["all", "head"])
def test_a_fusion_network_with_clinical_values(trainable: str) -> None:
    torch.manual_seed(0)
    network = FusionClassifier("resnet10t", 3, in_clinical=2, units=(8, 4), trainable=trainable)
    cam = grad_cam(network, torch.rand(2, 3, 64, 48), torch.rand(2, 2), class_index=1)
    assert cam.shape == (2, 1, 64, 48)
    assert cam.dtype == torch.float32
    assert float(cam.min()) >= 0 and float(cam.max()) <= 1


def test_a_map_that_is_the_same_everywhere_points_nowhere() -> None:
    """A ResNet leaves one pixel of 32."""
    network = FusionClassifier("resnet18", in_channels=3, units=(8, 8), batch_norm=0)
    assert not grad_cam(network, torch.rand(2, 3, 32, 32)).any()


class BrightCorner(nn.Module):
    """Bright voxels support class 0, none class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv3d(1, 1, 1, bias=False)
        self.filters.weight.data.fill_(1)
        self.feature_maps = nn.Identity()

    def forward(self, image: Tensor) -> Tensor:
        frames = nn.functional.avg_pool3d(self.filters(image.permute(0, 1, 4, 3, 2)).relu(), (2, 4, 4))
        logits = self.feature_maps(frames.permute(0, 1, 4, 3, 2)).mean(dim=(2, 3, 4))
        return torch.cat([logits, torch.zeros_like(logits)], dim=1)


def test_evidence_in_a_volume_lies_where_its_voxels_are() -> None:
    """Three sides of different lengths, and feature maps that come from turned frames."""
    volume = torch.zeros(2, 1, 32, 24, 16)
    volume[0, 0, 24:28, 4:8, 10:12] = 3
    volume[1, 0, 4:8, 16:20, 2:4] = 3
    cam = grad_cam(BrightCorner(), volume)
    assert cam.shape == volume.shape
    for one, (x, y, z) in zip(cam, ((24, 4, 10), (4, 16, 2)), strict=True):
        place = [int(index) for index in torch.unravel_index(one[0].argmax(), one.shape[1:])]
        assert x <= place[0] < x + 4 and y <= place[1] < y + 4 and z <= place[2] < z + 2
        assert float(one.max()) == 1
        assert float(one[0, 15:17].max()) == 0
    assert not grad_cam(BrightCorner(), volume, class_index=1).any()


def test_weights_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of 33 million would take as much again for every map, until the garbage is collected."""
    network, seen = Spots(), set()
    forward = Spots.forward

    def watch(self: Spots, image: Tensor) -> Tensor:
        seen.add((self is network, self.filters.weight.data_ptr() == network.filters.weight.data_ptr()))
        return forward(self, image)

    monkeypatch.setattr(Spots, "forward", watch)
    grad_cam(network, spots(1, 2))
    assert seen == {(False, True)}


def test_gradients_begin_at_the_feature_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing before them is kept: a volume's map costs no more than its forward pass."""
    kept: list[int] = []
    network = FusionClassifier("resnet10t", 3, units=(8, 4))
    with torch.autograd.graph.saved_tensors_hooks(lambda value: kept.append(value.numel()) or value, lambda one: one):
        grad_cam(network, torch.rand(1, 3, 96, 64))
    assert sum(kept) < 3 * 96 * 64
