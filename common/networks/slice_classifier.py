"""The two networks of P2: a small one from scratch and a frozen ResNet-50V2, under the same dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.transforms import Normalize

from common.errors import DatasetError, Problem
from common.knobs import as_bool, bool_or_path
from common.networks.backbones import create_backbone
from common.networks.slice_knobs import SliceKnobs


class SliceClassifier(nn.Module):
    """A single slice → the logits of two classes (P2, sections 2.2 and 2.3, Figures 1 to 3).

    Net A, one channel: twice convolution, ReLU, max-pooling and dropout. Net B, three channels: ResNet-50V2 with
    ImageNet weights, frozen. The maps of either are flattened and go through a dense layer with ReLU to one with a
    single unit. Its logit z leaves as (-z/2, z/2): the soft-max of the two is the sigmoid of z that P2 takes, and their
    cross-entropy is the binary one. So the class without a tumour has a logit of its own, which Grad-CAM can explain.

    Convolutions keep the size; P2 does not state the kernel, the dropout, or whether they do. Weights that are not from
    ImageNet start as in Keras, which P2 used: Glorot's uniform weights, zero biases. Since the maps are flattened, a
    network takes images of one size only. ``feature_maps`` is the layer for Grad-CAM: the last convolution's output.

    Args:
        net: ``A`` or ``B``.
        image_size: pixels along x and y.
        filters: net A: of either convolution.
        kernel: net A: pixels of a side of the convolutions' kernels, an odd number.
        dropout: net A: after either max-pooling.
        units: widths of the dense layers before the last one.
        backbone: net B: a timm network that ends in feature maps. ``resnetv2_50`` halves the size in the first block of
            a stage, where Keras's ResNet50V2, which P2 used, does it in the last; the layers are the same.
        trainable: net B: ``head`` freezes the backbone, which then stays in eval mode; ``all`` does not.
        pretrained: net B: ``True`` to fetch timm's ImageNet weights, a path to take them from a file with timm's keys,
            ``False`` for random ones.
        channels_last: hold the weights in channels-last memory format, faster on CPUs and with mixed precision.

    Raises:
        KnobError: names every knob that has no meaning.
        CheckpointError: the ImageNet weights are not available, or are another network's.

    Shapes:
        ``image`` (batch, 1 or 3, x, y) from 0 to 1 → logits (batch, 2).
    """

    def __init__(
        self,
        net: str = "A",
        image_size: Sequence[int] | str = (240, 240),
        filters: int = 32,
        kernel: int = 3,
        dropout: float = 0.25,
        units: Sequence[int] | str = (500,),
        backbone: str = "resnetv2_50",
        trainable: str = "head",
        pretrained: bool | str = False,
        channels_last: bool | str = True,
    ) -> None:
        super().__init__()
        knobs = SliceKnobs.read(
            net=net,
            image_size=image_size,
            filters=filters,
            kernel=kernel,
            dropout=dropout,
            units=units,
            backbone=backbone,
            trainable=trainable,
        )
        self.image_size = knobs.image_size
        self.in_channels = knobs.in_channels
        self.body_frozen = knobs.net == "B" and knobs.trainable == "head"
        self.body: nn.Module
        if knobs.net == "A":
            self.body, self.after = _small_body(knobs), _pooling(knobs)
        else:
            self.body, self.after = _Backbone(knobs.backbone, bool_or_path(pretrained)), nn.Sequential()
        self.feature_maps = nn.Identity()
        width = _flat_width(nn.Sequential(self.body, self.after), (1, self.in_channels, *knobs.image_size))
        self.head = _dense_head(width, knobs.units)
        (self if knobs.net == "A" else self.head).apply(_start_as_keras)
        if self.body_frozen:
            self.body.requires_grad_(False)
        if as_bool(channels_last, "channels_last"):
            self.to(memory_format=torch.channels_last)
        self.train()

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the two classes.

        Raises:
            DatasetError: the images have another size than the network was made for.
        """
        if not (torch.jit.is_scripting() or torch.jit.is_tracing()):
            self._check_size(image)
        half = self.head(self.after(self.feature_maps(self.body(image)))) / 2
        return torch.cat([-half, half], dim=1)

    @torch.jit.unused
    def _check_size(self, image: Tensor) -> None:
        if tuple(image.shape[2:]) != self.image_size:
            found, wanted = (" x ".join(map(str, size)) for size in (image.shape[2:], self.image_size))
            hint = "Pass the --image_size that the network was trained with."
            raise DatasetError(Problem(f"they have {found} pixels, and the network takes {wanted}", "the images", hint))

    def train(self, mode: bool = True) -> SliceClassifier:
        """A frozen backbone stays in eval mode, also while the rest is trained."""
        super().train(mode)
        if self.body_frozen:
            self.body.eval()
        return self


class _Backbone(nn.Module):
    """timm's feature maps of images from 0 to 1, which are brought to the range that its weights were trained on."""

    def __init__(self, name: str, pretrained: bool | str) -> None:
        super().__init__()
        network: Any = create_backbone(name, 3, pretrained)
        self.network = network
        self.normalise = Normalize(network.pretrained_cfg["mean"], network.pretrained_cfg["std"])

    def forward(self, image: Tensor) -> Tensor:
        return self.network.forward_features(self.normalise(image))


def _small_body(knobs: SliceKnobs) -> nn.Sequential:
    first, second = (
        nn.Conv2d(channels, knobs.filters, knobs.kernel, padding="same") for channels in (1, knobs.filters)
    )
    return nn.Sequential(first, nn.ReLU(), *_pooling(knobs), second, nn.ReLU())


def _pooling(knobs: SliceKnobs) -> nn.Sequential:
    return nn.Sequential(nn.MaxPool2d(2), nn.Dropout(knobs.dropout))


def _dense_head(width: int, units: Sequence[int]) -> nn.Sequential:
    widths = [width, *units]
    hidden = [layer for inputs, outputs in pairwise(widths) for layer in (nn.Linear(inputs, outputs), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(widths[-1], 1))


def _start_as_keras(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _flat_width(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Features of an image once the maps are flattened; no statistics are changed."""
    with torch.no_grad():
        return network.eval()(torch.zeros(shape)).numel()
