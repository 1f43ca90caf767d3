"""P3's segmentation network: a U-Net with an ImageNet ResNet-18 encoder, four modalities in, four classes out."""

from __future__ import annotations

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from common.errors import CheckpointError, KnobError, Problem
from common.knobs import as_bool, bool_or_path
from common.networks.weights.pretraining import imagenet_weights

HEADS = ("standard", "deep")


class SegmentationUNet(nn.Module):
    """U-Net over axial slices.

    ``head: deep`` is the head of P3's second stage (section 4.1.2): conv 3x3 16 → 8, ReLU, conv 3x3 8 → 4, ReLU,
    conv 1x1 4 → 4. With ``trainable: head`` everything else is frozen (section 4.1.4): no gradients, and batch
    normalisation keeps its statistics because the frozen parts stay in eval mode.

    Args:
        in_channels: number of modalities.
        num_classes: background included.
        encoder: name of an encoder of segmentation-models-pytorch.
        head: ``standard`` (conv 3x3 16 → classes) or ``deep``.
        trainable: ``all`` or ``head``.
        pretrained: ``True`` to fetch ImageNet weights for the encoder, a path to take them from a file, ``False`` for
            random ones. The stem is adapted to ``in_channels``.
        channels_last: hold the weights in channels-last memory format, faster on CPUs and with mixed precision.

    Raises:
        KnobError: ``head`` or ``trainable`` is no choice, or there is no such encoder.
        CheckpointError: the ImageNet weights are not available, or are another encoder's.

    Shapes:
        ``image`` (batch, in_channels, x, y) → logits (batch, num_classes, x, y); a volume
        (batch, in_channels, x, y, z) slice by slice → (batch, num_classes, x, y, z).
    """

    def __init__(
        self,
        in_channels: int = 4,
        num_classes: int = 4,
        encoder: str = "resnet18",
        head: str = "standard",
        trainable: str = "all",
        pretrained: bool | str = False,
        channels_last: bool | str = True,
    ) -> None:
        super().__init__()
        _check_choice("head", head, HEADS)
        _check_choice("trainable", trainable, ("all", "head"))
        try:
            self.unet = smp.Unet(encoder, encoder_weights=None, in_channels=in_channels, classes=num_classes)
        except KeyError as error:
            hint = "Name one of segmentation-models-pytorch, such as resnet34."
            raise KnobError(Problem(f"{encoder!r} is no encoder", "--network_def#encoder", hint)) from error
        if head == "deep":
            self.unet.segmentation_head = deep_head(num_classes)
        source = bool_or_path(pretrained)
        if source:
            self._start_from(imagenet_weights(encoder, source, in_channels), encoder, source)
        self.head_only = trainable == "head"
        if self.head_only:
            self.unet.encoder.requires_grad_(False)
            self.unet.decoder.requires_grad_(False)
        if as_bool(channels_last, "channels_last"):
            self.to(memory_format=torch.channels_last)

    def _start_from(self, weights: dict[str, Tensor], encoder: str, source: bool | str) -> None:
        try:
            self.unet.encoder.load_state_dict(weights)
        except RuntimeError as error:
            hint = f"Give torchvision's weights of {encoder}."
            raise CheckpointError(Problem(f"its layers are not those of {encoder}", str(source), hint)) from error

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the classes for each pixel."""
        if image.ndim == 4:
            return self.unet(image)
        slices = image.movedim(-1, 1).flatten(0, 1)
        return self.unet(slices).unflatten(0, (image.shape[0], image.shape[-1])).movedim(1, -1)

    def train(self, mode: bool = True) -> SegmentationUNet:
        """Frozen parts stay in eval mode, also while the rest is trained."""
        super().train(mode)
        if self.head_only:
            self.unet.encoder.eval()
            self.unet.decoder.eval()
        return self


def deep_head(num_classes: int) -> nn.Sequential:
    """The head of P3's second stage, section 4.1.2."""
    return nn.Sequential(
        nn.Conv2d(16, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, num_classes, 1),
    )


def _check_choice(knob: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise KnobError(Problem(f"{value!r} is no choice", f"--{knob}", f"Choose one of: {', '.join(choices)}."))
