"""What a package says of the network that its weights were trained with: knobs, metadata, and configs as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.cohorts.labels.cavity import REGION
from common.networks.weights.checkpoints import plain_values
from common.records import CAVITY_CLASS

TWINS = ("train", "evaluate", "inference")
"""Configs that other programs look for as JSON: ``monai.bundle.load``, ``MonaiAlgo``, MONAI Label."""

BACKGROUND = "background"
END_OF_KNOBS = "# --- end of knobs ---"


def with_defaults(text: str, values: Mapping[str, Any]) -> str:
    """A config whose knobs have the values that weights were trained with.

    Args:
        text: YAML, its knobs as ``name: default  # meaning`` above the line that ends them.
        values: by the names of knobs; what is no knob of this config is left out.
    """
    head, end, body = text.partition(END_OF_KNOBS)
    for name, value in plain_values(dict(values)).items():
        shown = json.dumps(value).replace("\\", "\\\\")  # a template of re.sub
        head = re.sub(rf"^({re.escape(name)}: ).*?(?=  # |$)", rf"\g<1>{shown}", head, flags=re.MULTILINE)
    return head + end + body


def knobs_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs that a network for these weights must be made with, as far as their provenance records them.

    Returns:
        Values by the names of knobs of training and inference configs.
    """
    knobs = dict(provenance.get("settings") or {})
    knobs.pop("permute_labels", None)
    encoder = provenance.get("encoder") or {}
    found = {
        "modalities": provenance.get("modalities"),
        "num_classes": len(provenance.get("classes") or ()) or None,
        "cavity": REGION if CAVITY_CLASS in (provenance.get("classes") or ()) else None,
        "missing_indicators": encoder.get("missing_indicators") if encoder.get("features") else None,
    }
    return {**{name: value for name, value in found.items() if value is not None}, **knobs}


def describe_network(metadata: str, provenance: Mapping[str, Any]) -> str:
    """Metadata of the network that weights were trained with: its classes, and the channels and size of its image.

    Other programs take names from there, and the zoo tries the network with such an image.

    Args:
        metadata: text of ``metadata.json``.
        provenance: of the weights; what it does not record stays as it is.
    """
    content = json.loads(metadata)
    image, pred = (
        content["network_data_format"][side][name] for side, name in (("inputs", "image"), ("outputs", "pred"))
    )
    named = list(pred["channel_def"].values())
    if provenance.get("classes"):
        named = [*named[: named.count(BACKGROUND)], *provenance["classes"]]
    pred.update(_numbered(named))
    settings = provenance.get("settings") or {}
    if modalities := settings.get("modalities") or provenance.get("modalities"):
        known = list(image["channel_def"].values())
        image.update(_numbered(_channels(known, modalities, settings.get("samples"))))
    image["spatial_shape"] = settings.get("image_size") or settings.get("volume_size") or image["spatial_shape"]
    return metadata if content == json.loads(metadata) else json.dumps(content, indent=4, ensure_ascii=False) + "\n"


def _channels(known: Sequence[str], modalities: Sequence[str], samples: str | None) -> list[str]:
    """Names of the channels of an image of these modalities: ``FLAIR``, or ``FLAIR, lower slice`` and its neighbours.

    Args:
        known: those of the bundle's default modalities.
        modalities: in order.
        samples: ``modality`` where each modality is an image of its own.
    """
    slices = list(dict.fromkeys(name.partition(", ")[2] for name in known))
    if samples == "modality":
        return slices
    spelled = [modality.upper().replace("CE", "ce") for modality in modalities]
    return [", ".join(filter(None, (modality, place))) for modality in spelled for place in slices]


def _numbered(named: Sequence[str]) -> dict[str, Any]:
    return {"num_channels": len(named), "channel_def": {str(index): name for index, name in enumerate(named)}}


def json_twin(path: Path, classes: int) -> str:
    """A config as JSON, for programs that read no YAML.

    The network can be made without data: where YAML counts the classes of the cohort, JSON has their number.

    Args:
        path: of the YAML file.
        classes: how many outputs the network of these weights has.
    """
    from monai.bundle import ConfigParser

    config = ConfigParser.load_config_file(path)
    network = config.get("network_def", {})
    if "@classes" in str(network.get("num_classes")):
        network["num_classes"] = classes
    return json.dumps(config, indent=2) + "\n"
