"""torchvision's networks for videos, applied to volumes: slices in place of frames."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torchvision
from torch import nn
from torchvision.models.video.resnet import BasicBlock, BasicStem, Conv3DSimple, VideoResNet

from common.errors import CheckpointError, Problem, list_some
from common.networks.weights.checkpoints import weight_differences
from common.networks.weights.pretraining import download_weights, load_safely

PUBLISHED = ("r3d_18", "mc3_18", "r2plus1d_18")
"""The three of P4, in the order of its tables but for MC3."""

QUICK = "r3d_10"
VIDEO_BACKBONES = (*PUBLISHED, QUICK)
WIDTH = 512
"""Of the feature maps of each of them."""

PARTS = ("stem", "layer1", "layer2", "layer3", "layer4")
FRESH = ("stem.", "fc.")
"""Never loaded: the stem has three input channels (RGB), the dense layer the classes of Kinetics-400."""

COUNTER = ".num_batches_tracked"


def create_video_backbone(name: str, in_channels: int, pretrained: bool | str = False) -> nn.Sequential:
    """Stem and four stages, without pooling and classifier: (batch, in_channels, frame, y, x) → (batch, 512, ...).

    ``r3d_10`` is R3D with one block per stage instead of two, for quick tries; the papers have no such network.

    Args:
        name: one of :data:`VIDEO_BACKBONES`.
        in_channels: of the volumes; the stem's first convolution is replaced.
        pretrained: ``True`` to fetch torchvision's Kinetics-400 weights for the stages, a path to take them from a
            file with torchvision's keys, ``False`` for random ones. The stem always starts from random weights (P4).

    Raises:
        CheckpointError: the weights are not available, or are another network's. Never falls back to random ones.
    """
    if name == QUICK:
        network = VideoResNet(BasicBlock, [Conv3DSimple] * 4, [1, 1, 1, 1], BasicStem)
    else:
        network = torchvision.models.get_model(name, weights=None)
    network.stem[0] = _stem(network.stem[0], in_channels)
    backbone = nn.Sequential(OrderedDict((part, getattr(network, part)) for part in PARTS))
    if pretrained:
        _take_weights(backbone, name, pretrained)
    return backbone


def _stem(published: Any, in_channels: int) -> nn.Conv3d:
    """A first convolution for other channels, initialised as torchvision's own."""
    convolution = nn.Conv3d(
        in_channels,
        published.out_channels,
        published.kernel_size,
        stride=published.stride,
        padding=published.padding,
        bias=False,
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def _take_weights(backbone: nn.Module, name: str, source: bool | str) -> None:
    hint = f"Give torchvision's weights of {name}, or --pretrained false to start from random ones."
    if source is True and name == QUICK:
        raise CheckpointError(Problem("there are no Kinetics-400 weights of it", f"--backbone {name}", hint))
    found = download_weights(name, "Kinetics-400") if source is True else load_safely(str(source), name, "torchvision")
    weights = {key: value for key, value in found.items() if not key.startswith(FRESH)}
    stages = {key: value for key, value in backbone.state_dict().items() if not key.startswith(FRESH)}
    differing = weight_differences(*(_without_counters(values) for values in (stages, weights)))
    if differing:
        what = f"its layers are not those of {name} ({list_some(differing, 3, '; ')})"
        where = f"--pretrained true ({name})" if source is True else str(source)
        raise CheckpointError(Problem(what, where, hint))
    backbone.load_state_dict(weights, strict=False)  # the stem's are left out


def _without_counters(weights: dict[str, Any]) -> dict[str, Any]:
    """Batch counters are not weights, and old files lack them."""
    return {key: value for key, value in weights.items() if not key.endswith(COUNTER)}
