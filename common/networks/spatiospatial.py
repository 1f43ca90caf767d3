"""The networks of P4: a volume's axial slices take the place of a video's frames."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from common.errors import KnobError, Problem
from common.knobs import as_bool, bool_or_path, is_count, plain_knob
from common.networks.fusion_knobs import TRAINABLE
from common.networks.video_backbones import VIDEO_BACKBONES, WIDTH, create_video_backbone


class SpatioSpatialClassifier(nn.Module):
    """A volume → R3D-18, MC3-18 or R(2+1)D-18 → pooling → dropout → logits (P4; Chatterjee et al., Sci Rep 2022).

    MC3 convolves in 3D in its stem and first stage alone, and from then on slice by slice. With ``trainable: head``
    the four stages, which are pre-trained on Kinetics-400, are frozen and stay in eval mode; stem and dense layer are
    trained. ``feature_maps`` is the layer for Grad-CAM, with axes as in the volume.

    Args:
        backbone: ``r3d_18``, ``mc3_18`` or ``r2plus1d_18``; ``r3d_10`` is half an ``r3d_18``, for quick tries.
        in_channels: modalities of the volumes.
        num_classes: at least two.
        dropout: before the dense layer.
        pretrained: ``True`` to fetch torchvision's Kinetics-400 weights for the stages, a path to take them from a file
            with torchvision's keys, ``False`` for random ones.
        trainable: ``all`` or ``head``.
        checkpointing: keep only the input of a block and compute the rest again in the backward pass: training takes
            less memory and more time, with the same result.
        channels_last: hold the weights in channels-last memory format.

    Raises:
        KnobError: names every knob that has no meaning.
        CheckpointError: the Kinetics-400 weights are not available, or are another network's.

    Shapes:
        ``image`` (batch, in_channels, x, y, z) → logits (batch, num_classes).
    """

    def __init__(
        self,
        backbone: str = "r3d_18",
        in_channels: int = 1,
        num_classes: int = 3,
        dropout: float = 0.3,
        pretrained: bool | str = False,
        trainable: str = "all",
        checkpointing: bool | str = False,
        channels_last: bool | str = True,
    ) -> None:
        super().__init__()
        knobs = VideoKnobs.read(
            backbone=backbone,
            in_channels=in_channels,
            num_classes=num_classes,
            dropout=dropout,
            trainable=trainable,
        )
        self.head_only = knobs.trainable == "head"
        self.checkpointing = as_bool(checkpointing, "checkpointing")
        stages: Any = create_video_backbone(knobs.backbone, knobs.in_channels, bool_or_path(pretrained))
        self.backbone, self.feature_maps = stages, nn.Identity()
        self.head = nn.Sequential(nn.Dropout(knobs.dropout), _dense_layer(knobs.num_classes))
        if self.head_only:
            self.backbone[1:].requires_grad_(False)
        if as_bool(channels_last, "channels_last"):
            self.to(memory_format=torch.channels_last_3d)

    def forward(self, image: Tensor) -> Tensor:
        """Logits of the classes."""
        frames = image.permute(0, 1, 4, 3, 2)
        recompute = self.checkpointing and self.training and torch.is_grad_enabled()
        if recompute and not (torch.jit.is_scripting() or torch.jit.is_tracing()):
            maps = self._recomputed(frames)
        else:
            maps = self.backbone(frames)
        maps = self.feature_maps(maps.permute(0, 1, 4, 3, 2))
        return self.head(maps.mean(dim=(2, 3, 4)))

    @torch.jit.unused
    def _recomputed(self, frames: Tensor) -> Tensor:
        for stage in self.backbone:
            for block in [stage] if stage is self.backbone[0] else stage:
                frames = recomputed(block, frames)
        return frames

    def train(self, mode: bool = True) -> SpatioSpatialClassifier:
        """Frozen stages stay in eval mode, also while the rest is trained."""
        super().train(mode)
        if self.head_only:
            self.backbone[1:].eval()
        return self


def _dense_layer(num_classes: int) -> nn.Linear:
    """Initialised as torchvision's own layers."""
    layer = nn.Linear(WIDTH, num_classes)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.zeros_(layer.bias)
    return layer


def recomputed(block: nn.Module, inputs: Tensor) -> Tensor:
    """``block(inputs)``, of which only the inputs are kept for the backward pass, by PyTorch's checkpointing.

    Batch normalisation updates its statistics once, though it computes twice. A block with dropout would need the
    random state as well, and is not supported.
    """

    def contexts() -> tuple[Any, Any]:
        return contextlib.nullcontext(), _statistics_kept(block)

    return checkpoint(block, inputs, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


@contextlib.contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """Within, no batch changes the running statistics."""
    layers: list[Any] = [layer for layer in block.modules() if isinstance(layer, _BatchNorm)]
    kept = [(layer, layer.momentum, layer.num_batches_tracked) for layer in layers]
    for layer in layers:
        layer.momentum, layer.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for layer, momentum, batches in kept:
            layer.momentum, layer.num_batches_tracked = momentum, batches


@dataclass(frozen=True)
class VideoKnobs:
    """Plain values of :class:`~common.networks.spatiospatial.SpatioSpatialClassifier`'s knobs; see its arguments.

    Args:
        backbone: name.
        in_channels: modalities of the volumes.
        num_classes: at least two.
        dropout: before the dense layer.
        trainable: ``all`` or ``head``.
    """

    backbone: str
    in_channels: int
    num_classes: int
    dropout: float
    trainable: str

    @classmethod
    def read(cls, **given: Any) -> VideoKnobs:
        """Numbers may come as text.

        Raises:
            KnobError: names every knob that has no meaning.
        """
        values = {name: plain_knob(value) for name, value in given.items()}
        found = (_problem(field.name, values[field.name]) for field in fields(cls))
        problems = [problem for problem in found if problem]
        if problems:
            raise KnobError(problems)
        return cls(**{**values, "dropout": float(values["dropout"])})


def _problem(name: str, value: Any) -> Problem | None:
    fits, hint = {
        "backbone": (value in VIDEO_BACKBONES, f"Choose one of: {', '.join(VIDEO_BACKBONES)}."),
        "in_channels": (is_count(value), "Give a whole number from 1."),
        "num_classes": (is_count(value, 2), "Give a whole number from 2."),
        "dropout": (_is_share(value), "Give a share from 0 to less than 1."),
        "trainable": (value in TRAINABLE, f"Choose one of: {', '.join(TRAINABLE)}."),
    }[name]
    return None if fits else Problem(f"{value!r} is no choice", f"--{name}", hint)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
