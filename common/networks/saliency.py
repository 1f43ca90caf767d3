"""Grad-CAM of the classifiers that end in ``feature_maps``."""

from __future__ import annotations

import copy
from typing import Any

import torch
from monai.visualize import GradCAM
from torch import Tensor, nn

TARGET_LAYER = "feature_maps"
ROUNDING = 1e-4
"""Share of the highest value that interpolation may leave between equal ones."""


def grad_cam(
    network: nn.Module, image: Tensor, clinical: Tensor | None = None, class_index: int | None = None
) -> Tensor:
    """Gradient-weighted class activation maps (Selvaraju et al., ICCV 2017) by MONAI's :class:`GradCAM`.

    It works on a frozen copy of the network, in which gradients begin at the feature maps: mode, gradients and hooks of
    ``network`` stay as they are, a frozen backbone makes no difference, and a map takes little more time and memory
    than a forward pass. Samples are processed one by one, since MONAI's class scores of a batch mix the predicted
    classes of its samples.

    Args:
        network: with a layer ``feature_maps`` that returns (batch, width, x, y), such as
            :class:`~common.networks.FusionClassifier`, or (batch, width, x, y, z), such as
            :class:`~common.networks.SpatioSpatialClassifier`; a distributed wrapper is removed.
        image: (batch, channel, x, y) or (batch, channel, x, y, z).
        clinical: (batch, width), for a network that takes them.
        class_index: of the class that is explained; by default each sample's predicted class.

    Returns:
        Float32 (batch, 1, ...) in the size of the images, each sample scaled to [0, 1]; all zero where nothing
        supports the class, or everything equally, as in images whose feature maps are a single pixel.
    """
    with torch.inference_mode(False), torch.enable_grad():
        network = _frozen_copy(getattr(network, "module", network))
        network.get_submodule(TARGET_LAYER).register_forward_pre_hook(_begin_gradients)
        cam = GradCAM(network, TARGET_LAYER, postprocessing=_scale)
        maps = []
        for index in range(len(image)):
            sample = torch.as_tensor(image[index : index + 1]).detach().clone()
            given: dict[str, Any] = {} if clinical is None else {"clinical": clinical[index : index + 1].clone()}
            maps.append(cam(sample, class_idx=class_index, **given).detach().float())
    return torch.cat(maps)


def _frozen_copy(network: nn.Module) -> nn.Module:
    """A copy in eval mode, with hooks and flags of its own and the same weights in memory."""
    shared: dict[int, Tensor] = {id(buffer): buffer for buffer in network.buffers()}
    shared |= {id(weight): nn.Parameter(weight.detach(), requires_grad=False) for weight in network.parameters()}
    return copy.deepcopy(network, shared).eval()


def _begin_gradients(_: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    return (inputs[0].detach().requires_grad_(),)


def _scale(cam: Tensor) -> Tensor:
    """From zero (no evidence, which stays zero) to one; a map that is constant becomes zero."""
    highest = cam.amax()
    points = highest > 0 and highest - cam.amin() > ROUNDING * highest
    return cam / highest if points else torch.zeros_like(cam)
