"""Networks of a package as TorchScript and ONNX, the same bytes for the same weights."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import nn

from common.commands import run_to_end
from common.errors import OutputError, Problem
from common.files import atomic_path
from common.networks import SegmentationUNet, SliceClassifier, SpatioSpatialClassifier, load_weights
from common.packaging.archive import add_file

EDGE = 64
"""Sides of the example that ONNX is traced with, where a network takes any."""


def export_torchscript(package: Path, config: str, weights: str) -> None:
    """Export weights by the package's own command, ``ckpt_export``; what names paths of this machine is left out.

    A process of its own, since PyTorch numbers the types that one process scripts, and with one order of sets.

    Args:
        package: its folder.
        config: name of an inference config, without ``.yaml``.
        weights: name of a file in ``models``; the export lies beside it, with the suffix ``.ts``.

    Raises:
        OutputError: the network does not script.
    """
    target = Path("models", weights).with_suffix(".ts")
    command = [sys.executable, "-m", "monai.bundle", "ckpt_export", "--net_id", "network_def"]
    command += ["--filepath", str(target), "--ckpt_file", str(Path("models", weights))]
    command += ["--meta_file", str(Path("configs", "metadata.json"))]
    command += ["--config_file", str(Path("configs", f"{config}.yaml"))]
    settings = {**os.environ, "PYTHONHASHSEED": "0"}
    done = run_to_end(command, cwd=package, env=settings, capture_output=True, text=True)
    if done.returncode:
        told = done.stderr.strip().rpartition("\n")[2]
        hint = "Leave out what TorchScript does not know, or pass --no-exports."
        raise OutputError(Problem(f"its network does not export to TorchScript ({told})", str(package / target), hint))
    _leave_out_sources(package / target, config)


def _leave_out_sources(path: Path, config: str) -> None:
    """Leave out the records for tracebacks, which name paths of this machine, and the hash of what was in the file.

    The config in it is called ``inference`` whichever it is, since that is what MONAI Deploy looks for.
    """
    with zipfile.ZipFile(path) as source, atomic_path(path) as temporary, zipfile.ZipFile(temporary, "w") as target:
        for name in source.namelist():
            if not name.endswith((".debug_pkl", "/.data/serialization_id")):
                renamed = re.sub(rf"/extra/{re.escape(config)}\.json$", "/extra/inference.json", name)
                add_file(target, renamed, source.read(name), zipfile.ZIP_STORED)


def export_onnx(package: Path, config: str, weights: str) -> None:
    """Export weights to ONNX, with clinical values as a second input where the network takes them.

    Args:
        package: its folder.
        config: name of an inference config, without ``.yaml``.
        weights: name of a file in ``models``; the export lies beside it, with the suffix ``.onnx``.
    """
    network, example = network_and_example(package, config)
    path = package / "models" / weights
    load_weights(network, path)
    names = ["image", "clinical"][: len(example)]
    sides = _free_sides(network)
    axes = {"image": sides, "clinical": {0: "batch"}, "pred": sides if _is_dense(network) else {0: "batch"}}
    with atomic_path(path.with_suffix(".onnx")) as temporary:
        torch.onnx.export(
            network.eval(),
            example,
            temporary,
            input_names=names,
            output_names=["pred"],
            dynamic_axes={name: axes[name] for name in (*names, "pred")},
            dynamo=False,  # the newer exporter fixes the sizes: the U-Net asks in Python whether they fit
        )


def network_and_example(package: Path, config: str) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """The network of an inference config, and what it may be called with.

    Returns:
        The network, its weights as they were drawn; ``(image,)`` or ``(image, clinical)`` of two samples.
    """
    from monai.bundle import ConfigParser

    parser = ConfigParser(ConfigParser.load_config_file(package / "configs" / f"{config}.yaml"))
    parser["bundle_root"] = str(package)
    network: Any = parser.get_parsed_content("network_def")
    if isinstance(network, SliceClassifier):
        return network, (torch.zeros(2, network.in_channels, *network.image_size),)
    dimensions = 3 if isinstance(network, SpatioSpatialClassifier) else 2
    image = torch.zeros(2, parser.get_parsed_content("network_def#in_channels"), *[EDGE] * dimensions)
    width = getattr(network, "in_clinical", 0)
    return network, (image, torch.zeros(2, width)) if width else (image,)


def _free_sides(network: nn.Module) -> dict[int, str]:
    if isinstance(network, SliceClassifier):  # it flattens its maps
        return {0: "batch"}
    names = ("x", "y", "z") if isinstance(network, SpatioSpatialClassifier) else ("x", "y")
    return {0: "batch", **dict(enumerate(names, start=2))}


def _is_dense(network: nn.Module) -> bool:
    return isinstance(network, SegmentationUNet)
