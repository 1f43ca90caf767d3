"""The image half of a fusion network: a timm backbone that ends at its feature maps."""

from __future__ import annotations

import difflib
from typing import Any

import timm
import torch
from torch import nn

from common.errors import CheckpointError, Problem
from common.networks.weights.pretraining import load_safely, refuse_random_layers

BACKBONES = (
    *("resnet50", "resnet101", "efficientnet_b4", "vgg16"),
    *("inception_v3", "inception_resnet_v2", "densenet121", "densenet201"),
)
"""The eight of P1, Table 2."""

SMALLEST_SIDE = {"vgg16": 32, "inception_v3": 75, "inception_resnet_v2": 75, "densenet121": 29, "densenet201": 29}
"""Smallest side in pixels for which feature maps are not empty; the others take any size."""

PROBE_SIDE = 128


def create_backbone(name: str, in_channels: int, pretrained: bool | str = False) -> nn.Module:
    """A timm network without pooling and classifier, whose ``forward_features`` gives maps (batch, width, x, y).

    ``num_features`` is their width. VGG16's two dense layers of 4,096 are part of timm's feature vector but not of
    its feature maps, and are dropped.

    Args:
        name: of a network of timm.
        in_channels: channels of the images.
        pretrained: ``True`` to fetch timm's ImageNet weights, a path to take them from a file with timm's keys,
            ``False`` for random ones. The stem is adapted to ``in_channels``.

    Raises:
        CheckpointError: the ImageNet weights are not available, or are another network's.
    """
    weights = load_safely(pretrained, name) if isinstance(pretrained, str) else None
    try:
        backbone: Any = timm.create_model(
            name,
            pretrained=bool(pretrained),
            pretrained_cfg_overlay={"state_dict": weights} if weights else None,
            in_chans=in_channels,
            num_classes=0,
            global_pool="",
        )
    except Exception as error:  # timm and the hub raise errors of many libraries
        if not pretrained:
            raise
        raise CheckpointError(_unusable(name, pretrained, error)) from error
    if weights:
        backbone.pretrained_cfg.pop("state_dict", None)
        refuse_random_layers(backbone, weights, in_channels, str(pretrained), name)
    if hasattr(backbone, "pre_logits"):
        backbone.pre_logits = nn.Identity()
    return backbone


def _unusable(name: str, pretrained: bool | str, error: Exception) -> Problem:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    if isinstance(pretrained, str):
        return Problem(f"its layers are not those of {name} ({reason})", pretrained, f"Give timm's weights of {name}.")
    hint = "Pass --pretrained false to start from random weights, or --pretrained <file> with timm's weights."
    return Problem(f"ImageNet weights could not be downloaded ({reason})", f"--pretrained true ({name})", hint)


def backbone_problem(name: object) -> Problem | None:
    """What is wrong with the knob ``backbone``: timm does not have it, or it ends in no feature maps."""
    if not isinstance(name, str) or not timm.is_model(name):
        near = difflib.get_close_matches(str(name), [*BACKBONES, *timm.list_models()], n=3)
        hint = (
            f"Did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"Choose one of: {', '.join(BACKBONES)}."
        )
        return Problem(f"timm has no network {name!r}", "--backbone", hint)
    if name not in BACKBONES and not _has_feature_maps(name):
        what = f"{name} takes no images of any size to feature maps (channel, x, y), which this network pools"
        return Problem(what, "--backbone", f"Choose a convolutional network, such as {', '.join(BACKBONES)}.")
    return None


def _has_feature_maps(name: str) -> bool:
    """Transformers with tokens, fixed sizes or channels at the end have none; whether a network does is tried."""
    try:
        backbone: Any = timm.create_model(name, num_classes=0, global_pool="").eval()
        with torch.no_grad():
            maps = backbone.forward_features(torch.zeros(1, 3, PROBE_SIDE, PROBE_SIDE))
    except Exception:  # whatever the error is, this network cannot be used
        return False
    return maps.ndim == 4 and maps.shape[1] == backbone.num_features
