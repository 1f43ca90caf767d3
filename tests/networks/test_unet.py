from __future__ import annotations

import pytest
import torch
from torch import nn

from common.errors import KnobError
from common.networks.unet import SegmentationUNet, deep_head


def parameters(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def test_the_head_as_printed() -> None:
    """P3, section 4.1.2: conv 3x3 16 to 8, ReLU, conv 3x3 8 to 4, ReLU, conv 1x1 4 to 4."""
    head = SegmentationUNet(head="deep").unet.segmentation_head
    printed = [(nn.Conv2d, 16, 8, 3, 1), (nn.ReLU,), (nn.Conv2d, 8, 4, 3, 1), (nn.ReLU,), (nn.Conv2d, 4, 4, 1, 0)]
    assert len(head) == len(printed)
    for layer, (kind, *sizes) in zip(head, printed, strict=True):
        assert type(layer) is kind
        if sizes:
            inputs, outputs, kernel, padding = sizes
            assert (layer.in_channels, layer.out_channels) == (inputs, outputs)
            assert layer.kernel_size == (kernel, kernel)
            assert layer.padding == (padding, padding)
            assert layer.stride == (1, 1)
            assert layer.bias is not None


def test_numbers_of_weights_by_hand() -> None:
    standard, deep = SegmentationUNet(), SegmentationUNet(head="deep")
    assert parameters(standard) == 14_331_780
    assert parameters(standard.unet.segmentation_head) == 16 * 4 * 9 + 4
    by_hand = (16 * 8 * 9 + 8) + (8 * 4 * 9 + 4) + (4 * 4 + 4)
    assert parameters(deep_head(4)) == by_hand
    assert parameters(deep) == 14_331_780 - (16 * 4 * 9 + 4) + by_hand


@pytest.mark.parametrize("head", ["standard", "deep"])
def test_logits_have_the_size_of_the_image(head: str) -> None:
    network = SegmentationUNet(in_channels=3, num_classes=5, head=head).eval()
    with torch.no_grad():
        logits = network(torch.zeros(2, 3, 32, 64))
    assert logits.shape == (2, 5, 32, 64)
    assert logits.dtype == torch.float32


def test_the_memory_format_changes_no_result() -> None:
    torch.manual_seed(0)
    one = SegmentationUNet(channels_last=True).eval()
    other = SegmentationUNet(channels_last=False).eval()
    other.load_state_dict(one.state_dict())
    stem = one.unet.encoder.conv1.weight
    assert stem.is_contiguous(memory_format=torch.channels_last)
    image = torch.randn(1, 4, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(one(image), other(image), atol=1e-4, rtol=1e-4)


def step(network: SegmentationUNet) -> tuple[set[str], set[str]]:
    """Names of the weights and of the buffers that a training step changes."""
    torch.manual_seed(0)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], lr=0.1)
    network(torch.randn(2, 4, 32, 32)).square().mean().backward()
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    buffers = {name for name, _ in network.named_buffers()}
    return changed - buffers, changed & buffers


@pytest.mark.parametrize("head", ["standard", "deep"])
def test_with_all_else_frozen_a_step_changes_the_head_alone(head: str) -> None:
    network = SegmentationUNet(head=head, trainable="head")
    weights, buffers = step(network)
    assert buffers == set()
    assert weights
    assert all(name.startswith("unet.segmentation_head.") for name in weights)
    assert network.unet.segmentation_head.training


def test_without_freezing_a_step_changes_everything() -> None:
    network = SegmentationUNet()
    weights, buffers = step(network)
    assert weights == {name for name, _ in network.named_parameters()}
    assert buffers == {name for name, _ in network.named_buffers()}
    network.eval()
    assert not any(module.training for module in network.modules())


@pytest.mark.parametrize(("knob", "value"), [("head", "deeper"), ("trainable", "encoder")])
def test_a_word_that_is_no_choice(knob: str, value: str) -> None:
    with pytest.raises(KnobError, match=f"--{knob}: '{value}' is no choice"):
        SegmentationUNet(**{knob: value})


def test_an_encoder_that_does_not_exist_is_named() -> None:
    with pytest.raises(KnobError, match="convnext_tiny"):
        SegmentationUNet(encoder="convnext_tiny")
