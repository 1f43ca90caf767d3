from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from torch import nn

from common.errors import CheckpointError, DatasetError, KnobError
from common.networks import SliceClassifier, channels_of, grad_cam

SMALL: dict[str, Any] = {"image_size": (64, 48), "units": (8,)}
NETS = {"A": SMALL, "B": {**SMALL, "net": "B", "backbone": "resnet10t"}}


def learnable(network: nn.Module) -> int:
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def test_net_a_has_the_layers_of_the_paper() -> None:
    """P2, Figure 1: two blocks of 32 filters, 500 units, one unit; counted by hand for 240 x 240."""
    network = SliceClassifier()
    convolutions = (3 * 3 * 1 * 32 + 32) + (3 * 3 * 32 * 32 + 32)
    dense = 60 * 60 * 32 * 500 + 500 + 500 + 1
    assert learnable(network) == convolutions + dense
    kinds = [type(part).__name__ for part in network.modules() if not list(part.children())]
    block = ["Conv2d", "ReLU", "MaxPool2d", "Dropout"]
    assert [kind for kind in kinds if kind != "Identity"] == [*block, *block, "Flatten", "Linear", "ReLU", "Linear"]


def test_net_b_is_resnet50_v2_and_learns_its_dense_layers_alone() -> None:
    network = SliceClassifier("B")
    assert sum(weight.numel() for weight in network.body.parameters()) == 23_500_352
    assert learnable(network) == 8 * 8 * 2048 * 500 + 500 + 500 + 1
    assert "PreActBottleneck" in {type(part).__name__ for part in network.modules()}


@pytest.mark.parametrize("net", NETS)
def test_one_logit_leaves_as_two_whose_softmax_is_its_sigmoid(net: str) -> None:
    network = SliceClassifier(**NETS[net]).eval()
    seen: list[torch.Tensor] = []
    network.head.register_forward_hook(lambda _module, _inputs, logit: seen.append(logit))
    logits = network(torch.rand(3, channels_of(net), 64, 48))
    torch.testing.assert_close(logits.softmax(dim=1)[:, 1], torch.sigmoid(seen[0][:, 0]))
    labels = torch.tensor([0, 1, 1])
    loss = nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(loss, nn.functional.binary_cross_entropy_with_logits(seen[0][:, 0], labels.float()))


def test_a_frozen_body_keeps_its_statistics_and_gets_no_gradients() -> None:
    network = SliceClassifier(**NETS["B"]).train()
    before = {name: value.clone() for name, value in network.body.state_dict().items()}
    network(torch.rand(4, 3, 64, 48)).sum().backward()
    assert all(torch.equal(value, before[name]) for name, value in network.body.state_dict().items())
    assert all(weight.grad is None for weight in network.body.parameters())
    assert all(weight.grad is not None for weight in network.head.parameters())
    assert not network.body.training
    assert SliceClassifier(**NETS["B"], trainable="all").train().body.training


def test_images_reach_the_backbone_in_the_range_of_its_weights() -> None:
    network = SliceClassifier(**{**NETS["B"], "backbone": "resnetv2_50"}).eval()
    seen: list[torch.Tensor] = []
    network.body.network.stem.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    image = torch.rand(1, 3, 64, 48)
    network(image)
    torch.testing.assert_close(seen[0], image * 2 - 1)  # as Keras prepares images for ResNet50V2


def test_imagenet_weights_from_a_file(tmp_path: Path) -> None:
    weights = timm.create_model("resnet10t").state_dict()
    torch.save(weights, tmp_path / "resnet10t.pt")
    network = SliceClassifier(**NETS["B"], pretrained=str(tmp_path / "resnet10t.pt"))
    assert torch.equal(network.body.network.layer4[0].conv1.weight, weights["layer4.0.conv1.weight"])
    with pytest.raises(CheckpointError, match="resnet18"):
        SliceClassifier(**{**NETS["B"], "backbone": "resnet18"}, pretrained=str(tmp_path / "resnet10t.pt"))


@pytest.mark.parametrize("net", NETS)
def test_scripted_it_says_the_same(net: str) -> None:
    network = SliceClassifier(**NETS[net]).eval()
    image = torch.rand(2, channels_of(net), 64, 48)
    torch.testing.assert_close(torch.jit.script(network)(image), network(image))


@pytest.mark.parametrize("net", NETS)
def test_both_classes_have_evidence_to_show(net: str) -> None:
    """With a single logit the class without a tumour would have no gradient, and an empty map."""
    torch.manual_seed(0)
    network = SliceClassifier(**NETS[net])
    image = torch.rand(1, channels_of(net), 64, 48)
    maps = [grad_cam(network, image, class_index=index) for index in (0, 1)]
    assert all(cam.shape == (1, 1, 64, 48) for cam in maps)
    assert max(float(cam.max()) for cam in maps) == 1
    assert not torch.equal(*maps)


def test_weights_start_as_in_keras() -> None:
    torch.manual_seed(0)
    network = SliceClassifier(**SMALL)
    first = network.body[0]
    limit = (6 / (9 * 1 + 9 * 32)) ** 0.5  # Glorot and Bengio 2010, of a 3 x 3 kernel from 1 to 32 channels
    assert 0.95 * limit < float(first.weight.abs().max()) <= limit
    assert all(float(layer.bias.abs().max()) == 0 for layer in (first, network.head[1]))


def test_an_image_of_another_size_is_a_clear_error() -> None:
    with pytest.raises(DatasetError, match="60 x 60 pixels, and the network takes 64 x 48"):
        SliceClassifier(**SMALL)(torch.rand(1, 1, 60, 60))


def test_every_knob_without_a_meaning_is_told_at_once() -> None:
    wrong = {
        "net": "C",
        "image_size": [240],
        "filters": 0,
        "kernel": 4,
        "dropout": 1,
        "units": [0],
        "trainable": "none",
    }
    with pytest.raises(KnobError) as caught:
        SliceClassifier(**wrong)
    assert [problem.where for problem in caught.value.problems] == [f"--{name}" for name in wrong]
    with pytest.raises(KnobError, match="resnet10t"):
        SliceClassifier("B", backbone="resnet10x")
    with pytest.raises(KnobError, match="--net"):
        channels_of("C")


def test_knobs_may_come_as_text() -> None:
    network = SliceClassifier("A", "[64, 48]", "4", "5", "0.5", "[8]")
    assert network.image_size == (64, 48)
    assert network.body[0].weight.shape == (4, 1, 5, 5)
