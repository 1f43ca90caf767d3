"""Published pre-trained weights for encoders and backbones: downloaded, or from a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torchvision
from safetensors import SafetensorError
from timm.models import adapt_input_conv
from torch import Tensor, nn

from common.errors import CheckpointError, Problem
from common.networks.weights.checkpoints import load_checked
from common.networks.weights.wrapped import find_state_dict, without_prefixes

CLASSIFIER_KEYS = ("fc.", "classifier.")
STEM = "conv1.weight"


def imagenet_weights(encoder: str, source: bool | str, in_channels: int) -> dict[str, Tensor]:
    """The encoder's weights, its stem adapted from three colours to ``in_channels``.

    Args:
        encoder: a torchvision name, such as ``resnet18``.
        source: ``True`` to download torchvision's weights, or the path of a state dict with the same keys.
        in_channels: channels of the images.

    Returns:
        A state dict.

    Raises:
        CheckpointError: the download failed, or the file cannot be used. Never falls back to random weights.
    """
    weights = download_weights(encoder) if source is True else find_state_dict(load_checked(Path(str(source))))
    weights = without_prefixes(weights, (STEM,)) if isinstance(weights, dict) else {}
    weights = {key: value for key, value in weights.items() if not key.startswith(CLASSIFIER_KEYS)}
    if "conv1.weight" not in weights:
        problem = Problem("holds no stem 'conv1.weight'", str(source), f"Give torchvision's weights of {encoder}.")
        raise CheckpointError(problem)
    weights["conv1.weight"] = adapt_input_conv(in_channels, weights["conv1.weight"])
    return weights


def load_safely(path: str | Path, network: str, library: str = "timm") -> dict[str, Tensor]:
    """The tensors of a file of weights, ``.safetensors`` or a pickle that holds nothing else.

    Args:
        path: of the file; weights under ``state_dict`` or ``model`` are found.
        network: whose weights they should be, for the messages.
        library: whose names of the layers they should have, for the messages.

    Returns:
        A state dict.

    Raises:
        CheckpointError: it is missing, damaged, or holds no weights or more than plain values.
    """
    hint = f"Give {library}'s weights of {network}."
    if Path(path).suffix == ".safetensors":
        try:
            return dict(safetensors.torch.load_file(path))
        except (OSError, SafetensorError) as error:
            raise CheckpointError(Problem(f"it cannot be read ({error})", str(path), hint)) from error
    content = load_checked(path)
    content = next((content[key] for key in ("state_dict", "model") if isinstance(content.get(key), dict)), content)
    weights = without_prefixes({key: value for key, value in content.items() if isinstance(value, Tensor)})
    if not weights:
        raise CheckpointError(Problem("it holds no weights", str(path), hint))
    return weights


def refuse_random_layers(
    backbone: nn.Module, weights: Mapping[str, Tensor], in_channels: int, source: str, network: str
) -> None:
    """Check that every layer of ``backbone`` holds values of ``weights``: timm silently skips what a file lacks.

    Layers are identified by their values, since timm renames some of a file's; its stem may have been adapted.

    Args:
        backbone: after loading.
        weights: of the file.
        in_channels: channels of the images.
        source: where the weights come from, for the message.
        network: its name, for the message.

    Raises:
        CheckpointError: names layers that were left random.
    """
    colour_stems = [weight for weight in weights.values() if weight.ndim == 4 and weight.shape[1] == 3]
    adapted = [adapt_input_conv(in_channels, stem) for stem in colour_stems]
    known = {_fingerprint(weight) for weight in (*weights.values(), *adapted)}
    layers = {name: value for name, value in backbone.state_dict().items() if not name.endswith("num_batches_tracked")}
    random = [name for name, value in layers.items() if _fingerprint(value) not in known]
    if random:
        what = f"it lacks {len(random)} of {len(layers)} layers of {network} (such as {random[0]})"
        raise CheckpointError(Problem(what, source, f"Give timm's weights of {network}."))


def _fingerprint(weight: Tensor) -> tuple[int, float, float]:
    """The same for a tensor under another name or in another shape."""
    values = weight.double()
    return weight.numel(), float(values.sum()), float(values.square().sum())


def download_weights(network: str, data_set: str = "ImageNet") -> dict[str, Tensor]:
    """torchvision's best weights of a network, checked against their hash.

    Args:
        network: a torchvision name.
        data_set: that they were trained on, for the messages.

    Returns:
        A state dict.

    Raises:
        CheckpointError: the download failed.
    """
    try:
        weights = torchvision.models.get_model_weights(network).DEFAULT
        return dict(weights.get_state_dict(progress=True, check_hash=True))
    except (OSError, RuntimeError, ValueError) as error:
        hint = (
            "Pass --pretrained false to start from random weights, or --pretrained <file> with torchvision's weights."
        )
        what = f"{data_set} weights could not be downloaded ({error})"
        raise CheckpointError(Problem(what, f"--pretrained true ({network})", hint)) from error
