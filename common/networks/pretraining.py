"""ImageNet weights for encoders: from the network, or from a file where there is none."""

from __future__ import annotations

from pathlib import Path

import torchvision
from timm.models import adapt_input_conv
from torch import Tensor

from common.errors import CheckpointError, Problem
from common.networks.checkpoints import load_checked

CLASSIFIER_KEYS = ("fc.", "classifier.")


def imagenet_weights(encoder: str, source: bool | str, in_channels: int) -> dict[str, Tensor]:
    """The encoder's state dict, its stem adapted from three colours to ``in_channels``.

    Args:
        encoder: a torchvision name, such as ``resnet18``.
        source: ``True`` to download torchvision's weights, or the path of a state dict with the same keys.
        in_channels: channels of the images.

    Raises:
        CheckpointError: the download failed, or the file cannot be used. Never falls back to random weights.
    """
    weights = _download(encoder) if source is True else load_checked(Path(str(source)))
    weights = {key: value for key, value in weights.items() if not key.startswith(CLASSIFIER_KEYS)}
    if "conv1.weight" not in weights:
        problem = Problem("holds no stem 'conv1.weight'", str(source), f"Give torchvision's weights of {encoder}.")
        raise CheckpointError(problem)
    weights["conv1.weight"] = adapt_input_conv(in_channels, weights["conv1.weight"])
    return weights


def _download(encoder: str) -> dict[str, Tensor]:
    try:
        weights = torchvision.models.get_model_weights(encoder).DEFAULT
        return dict(weights.get_state_dict(progress=True, check_hash=True))
    except (OSError, RuntimeError, ValueError) as error:
        mend = (
            "Pass --pretrained false to start from random weights, or --pretrained <file> with torchvision's weights."
        )
        what = f"ImageNet weights could not be downloaded ({error})"
        raise CheckpointError(Problem(what, f"--pretrained true ({encoder})", mend)) from error
