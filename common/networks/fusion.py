"""The network of P1 and of P3's survival part: an image and clinical values, fused before two dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from common.errors import DatasetError, KnobError, Problem
from common.knobs import as_bool, bool_or_path
from common.networks.backbones import SMALLEST_SIDE, create_backbone
from common.networks.fusion_knobs import FusionKnobs

LAYERS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class FusionClassifier(nn.Module):
    """Image → backbone → pooling, joined with clinical values, → two dense layers → logits.

    P1 (Fig. 8, section 3.1, Table 3) joins the pooled features with the raw values. P3 (section 4.2.2) first takes
    the features to 128 (``image_units``) and age to 10, ReLU, 10 (``clinical_units``): 138 values are joined. Neither
    states the order of a dense layer's parts with batch normalisation; here it is linear, batch
    normalisation, activation, dropout, which without batch normalisation is P3's order. Where ``batch_norm`` is 1, the
    first dense layer has it.

    With ``trainable: head`` the backbone is frozen (P1, section 2.3): no gradients, and it stays in eval mode, so
    that its batch normalisation keeps its statistics. ``feature_maps`` is the layer for Grad-CAM.

    Args:
        backbone: one of the eight of P1's Table 2, or any timm network that ends in feature maps.
        in_channels: of the images.
        num_classes: at least two.
        in_clinical: number of clinical values; 0 for images alone.
        units: widths of the two dense layers; none of them for logits straight from the features, as P5's ResNet.
        batch_norm: how many of them have batch normalisation, 0, 1 or 2.
        dropout: after each activation.
        activation: ``relu`` or ``tanh``.
        image_units: width of a dense layer between pooling and fusion; ``None`` for none.
        clinical_units: widths of the layers that the clinical values go through before fusion; none by default. They
            exist only where there are clinical values.
        trainable: ``all`` or ``head``.
        pretrained: ``True`` to fetch timm's ImageNet weights for the backbone, a path to take them from a file with
            timm's keys, ``False`` for random ones. The stem is adapted to ``in_channels``.
        channels_last: hold the weights in channels-last memory format, faster on CPUs and with mixed precision.

    Raises:
        KnobError: names every knob that has no meaning.
        CheckpointError: the ImageNet weights are not available, or are another network's.

    Shapes:
        ``image`` (batch, in_channels, x, y), ``clinical`` (batch, in_clinical) → logits (batch, num_classes).
    """

    def __init__(
        self,
        backbone: str = "densenet121",
        in_channels: int = 12,
        num_classes: int = 2,
        in_clinical: int = 0,
        units: Sequence[int] | str = (256, 256),
        batch_norm: int = 1,
        dropout: float = 0.3,
        activation: str = "relu",
        image_units: int | None = None,
        clinical_units: Sequence[int] | str = (),
        trainable: str = "all",
        pretrained: bool | str = False,
        channels_last: bool | str = True,
    ) -> None:
        super().__init__()
        knobs = FusionKnobs.read(
            backbone=backbone,
            in_channels=in_channels,
            num_classes=num_classes,
            in_clinical=in_clinical,
            units=units,
            batch_norm=batch_norm,
            dropout=dropout,
            activation=activation,
            image_units=image_units,
            clinical_units=clinical_units,
            trainable=trainable,
        )
        self.in_clinical, self.head_only = knobs.in_clinical, knobs.trainable == "head"
        self.smallest_side = SMALLEST_SIDE.get(knobs.backbone.partition(".")[0], 1)
        images: Any = create_backbone(knobs.backbone, knobs.in_channels, bool_or_path(pretrained))
        self.backbone, self.feature_maps = images, nn.Identity()
        self.image_branch, image_width = nn.Sequential(), int(images.num_features)
        if knobs.image_units:
            self.image_branch = dense_block(image_width, knobs.image_units, knobs.activation, knobs.dropout)
            image_width = knobs.image_units
        steps = knobs.clinical_units if knobs.in_clinical else ()
        self.clinical_branch = clinical_layers(knobs.in_clinical, steps, knobs.activation)
        clinical_width = steps[-1] if steps else knobs.in_clinical
        self.head = _fusion_head(image_width + clinical_width, knobs)
        if self.head_only:
            self.backbone.requires_grad_(False)
        if as_bool(channels_last, "channels_last"):
            self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, clinical: Tensor | None = None) -> Tensor:
        """Logits of the classes.

        Clinical values that are not given count as zeros: verification and export call the network with the image
        alone. :class:`~common.networks.PrepareClinicalBatch` refuses missing data.
        """
        if not (torch.jit.is_scripting() or torch.jit.is_tracing()):
            self._check_size(image)
        maps = self.feature_maps(self.backbone.forward_features(image))
        features = self.image_branch(maps.mean(dim=(2, 3)))
        if self.in_clinical > 0:
            if clinical is None:
                clinical = torch.zeros(image.shape[0], self.in_clinical, dtype=features.dtype, device=features.device)
            values = self.clinical_branch(clinical.to(features.dtype))
            features = torch.cat([features, values], dim=1)
        return self.head(features)

    @torch.jit.unused
    def _check_size(self, image: Tensor) -> None:
        if min(image.shape[2:]) < self.smallest_side:
            shape = " x ".join(str(size) for size in image.shape[2:])
            what = f"the backbone needs images of {self.smallest_side} pixels or more a side, and these have {shape}"
            raise DatasetError(Problem(what, "the images", "Take larger images, or another --backbone."))

    def train(self, mode: bool = True) -> FusionClassifier:
        """A frozen backbone stays in eval mode, also while the rest is trained."""
        super().train(mode)
        if self.head_only:
            self.backbone.eval()
        return self


def _fusion_head(width: int, knobs: FusionKnobs) -> nn.Sequential:
    if not knobs.units:
        return nn.Sequential(nn.Linear(width, knobs.num_classes))
    first, second = knobs.units
    return nn.Sequential(
        dense_block(width, first, knobs.activation, knobs.dropout, batch_norm=knobs.batch_norm >= 1),
        dense_block(first, second, knobs.activation, knobs.dropout, batch_norm=knobs.batch_norm == 2),
        nn.Linear(second, knobs.num_classes),
    )


def check_frozen_start(trainable: str, pretrained: Any, init_weights: Any = None) -> None:
    """Refuse to train dense layers on a backbone that is both frozen and random.

    Args:
        trainable: the knob, ``all`` or ``head``.
        pretrained: the knob; true, false or a path.
        init_weights: the knob; the checkpoint that the run continues from, if any.

    Raises:
        KnobError: neither ImageNet weights nor a checkpoint was given.
    """
    if trainable == "head" and not bool_or_path(pretrained) and not init_weights:
        hint = "Add --pretrained true (or a file of weights), or learn all with --trainable all."
        raise KnobError(Problem("a frozen backbone with random weights learns nothing", "--trainable head", hint))


class PatientBatchNorm(nn.BatchNorm1d):
    """Batch normalisation over patients that also takes a batch of one.

    One patient has no variance. Where a cohort's last batch has one patient (17 patients in batches of 16), it is
    normalised by the running statistics, as at inference, and does not change them; so no patient has to be dropped.
    Several processes that share their statistics have more than one patient together: there it becomes PyTorch's
    synchronised layer.
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, width) → (batch, width)."""
        learns = self.training and input.shape[0] > 1
        if learns and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        mean, variance, momentum = self.running_mean, self.running_var, self.momentum or 0.0
        return F.batch_norm(input, mean, variance, self.weight, self.bias, learns, momentum, self.eps)


def dense_block(inputs: int, units: int, activation: str, dropout: float, batch_norm: bool = False) -> nn.Sequential:
    """Linear → batch normalisation (on request) → activation → dropout.

    Args:
        inputs: width of the input.
        units: width of the output.
        activation: ``relu`` or ``tanh``.
        dropout: share.
        batch_norm: whether there is batch normalisation.
    """
    normalisation = [PatientBatchNorm(units)] if batch_norm else []
    return nn.Sequential(nn.Linear(inputs, units), *normalisation, LAYERS[activation](), nn.Dropout(dropout))


def clinical_layers(inputs: int, units: Sequence[int], activation: str) -> nn.Sequential:
    """Linear layers with an activation between them and none after the last; no layer for no units.

    Args:
        inputs: width of the input.
        units: widths of the layers.
        activation: ``relu`` or ``tanh``.
    """
    layers: list[nn.Module] = []
    for width in units:
        layers += [nn.Linear(inputs, width), LAYERS[activation]()]
        inputs = width
    return nn.Sequential(*layers[:-1])
