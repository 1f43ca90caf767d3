"""Configs of a package: they find the package's code beside themselves, wherever they are loaded from.

MONAI evaluates ``$import`` statements before anything else, and puts the bundle's folder on ``sys.path`` only in
``run``, after ``initialize``. A config of the repository can therefore import only what is installed. A packaged one
refers to its code instead: ``$@common.networks.load_weights(...)`` for ``$networks.load_weights(...)``, and
``_target_: $@common.networks.FusionClassifier``. MONAI resolves a reference before it is used, whichever program asks.
Weights are found likewise, since not every program says where the bundle is.
"""

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

IMPORTS = re.compile(r"^imports:\n(?:- .*\n)+", re.MULTILINE)
ALIAS = re.compile(r"^- \$import (common[\w.]*) as (\w+)$", re.MULTILINE)
INSTALLED = re.compile(r"^code: .*optional_import\('common'\).*\n", re.MULTILINE)
WEIGHTS = re.compile(r"^checkpoint: \$@bundle_root \+ '/models/([\w.-]+\.pt)'", re.MULTILINE)
BACKGROUND = "background"
TARGET = re.compile(r"(_target_: )(common\.)")
END_OF_KNOBS = "# --- end of knobs ---"

CODE = """\
# the code of this package: a workflow of MONAI's knows the folder of its configs; other programs pass bundle_root, or
# have the package on sys.path
imports:
- $import inspect
- $import os
- $import pydoc
- $import runpy
- $import sys
callers: "$[getattr(info.frame.f_locals.get('self'), '__dict__', {}) for info in inspect.stack(0)]"
code_places: "$[str(caller['config_root_path'].parent) for caller in @callers if 'config_root_path' in caller] \
+ [str(@bundle_root)] * (str(@bundle_root) != '.') + [*sys.path, '.']"
code_here: "$[place for place in @code_places if os.path.isfile(os.path.join(place, 'common', 'vendored.py'))]"
code_root: "$@code_here[0] if @code_here else \
os.path.dirname(getattr(pydoc.locate('common'), '__path__', [os.path.join(@bundle_root, 'common')])[0])"
common: "$runpy.run_path(os.path.join(@code_root, 'common', 'vendored.py'))['open_code'](@code_root)"
code: $@common
"""
CODE_KEYS = ("imports", "callers", "code_places", "code_here", "code_root", "common", "code")


def aliases_in(texts: Mapping[str, str]) -> dict[str, str]:
    """The names by which the configs of a bundle import packages: ``networks`` → ``common.networks``."""
    return {alias: package for text in texts.values() for package, alias in ALIAS.findall(text)}


def refer_to_code(text: str, aliases: Mapping[str, str]) -> str:
    """A config, or an overlay, that refers to the package's code instead of importing it.

    Args:
        text: YAML, with its comments.
        aliases: of :func:`aliases_in`; an overlay uses those of the config that it is merged into.
    """
    text = INSTALLED.sub("", IMPORTS.sub(lambda _: CODE, text))
    text = TARGET.sub(r"\1$@\2", text)
    names = "|".join(map(re.escape, aliases))
    used = re.compile(rf"(?<![\w.@#'/])({names})\.(?=\w)")
    return "\n".join(_refer_in_line(line, used, aliases) for line in text.split("\n"))


def _refer_in_line(line: str, used: re.Pattern[str], aliases: Mapping[str, str]) -> str:
    code, mark, comment = line.partition("  # ")
    if not line.lstrip().startswith("#"):
        code = used.sub(lambda found: f"@{aliases[found[1]]}.", code)
    return code + mark + comment


def find_weights(text: str, bundle: str) -> str:
    """An inference config that finds the weights of its package, whatever ``bundle_root`` is.

    Args:
        text: YAML.
        bundle: its name.
    """
    found = rf"checkpoint: $@common.vendored.own_file('{bundle}', 'models/\1', @bundle_root, @code_places)"
    return WEIGHTS.sub(found, text)


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
