"""A bundle as a folder and a zip that need nothing of this repository."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.commands import ROOT
from common.errors import CheckpointError, Problem
from common.files import scratch_folder, write_json, write_text
from common.locks import holding
from common.networks import read_provenance
from common.packaging.archive import checksums, write_zip
from common.packaging.configs import WEIGHTS, aliases_in, find_weights, refer_to_code
from common.packaging.exports import export_onnx, export_torchscript
from common.packaging.places import require_bundle, require_free
from common.packaging.trained_network import TWINS, describe_network, json_twin, knobs_of, with_defaults
from common.vendored import MANIFEST, needed_files, stamp_of


@dataclass(frozen=True)
class Package:
    """A packaged bundle.

    Args:
        folder: named by the bundle.
        archive: the zip of it, ``<bundle>_v<version>.zip``.
        stamp: of the package's ``common``.
        weights: names of the files in ``models``; empty where the bundle was not trained.
    """

    folder: Path
    archive: Path
    stamp: str
    weights: tuple[str, ...]


def make_package(bundle: Path, output: Path, exports: bool = True) -> Package:
    """Package a bundle: configs, documents, code, and its weights where it was trained.

    Knobs of the configs take the values that the weights were trained with. The same bundle gives the same bytes.

    Args:
        bundle: folder of the bundle, in this repository.
        output: where the folder and the zip go; an earlier package there is replaced.
        exports: also export the weights to TorchScript and ONNX.

    Returns:
        Where it lies and what it holds.

    Raises:
        OutputError: it is no bundle, another folder is in the way, a network does not export, another process packages
            into ``output``, or that cannot be written to.
        CheckpointError: weights do not record what they were trained with.
    """
    require_bundle(bundle)
    target = output / bundle.name
    require_free(target)
    with holding(output), scratch_folder(output, ".making-") as scratch:
        folder = scratch / bundle.name
        package = _fill(bundle, folder, exports)
        archive = scratch / package.archive.name
        write_zip(folder, archive)
        if target.exists():
            target.rename(scratch / "earlier")  # a folder is not removed at once, and half of one is no package
        folder.rename(target)
        archive.replace(output / archive.name)
    return Package(target, output / package.archive.name, package.stamp, package.weights)


def _fill(bundle: Path, folder: Path, exports: bool) -> Package:
    shutil.copytree(bundle / "docs", folder / "docs")
    for source in (bundle / "LICENSE", bundle / "configs" / "metadata.json", bundle / "configs" / "logging.conf"):
        _copy(source, folder / source.relative_to(bundle))
    for source in needed_files(ROOT / "common"):
        _copy(source, folder / source.relative_to(ROOT))
    write_text(folder / "requirements.txt", _requirements((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    trained = _copy_weights(bundle, folder)
    _write_configs(bundle, folder, trained)
    for config, weights in trained.items() if exports else ():
        export_torchscript(folder, config, weights)
        export_onnx(folder, config, weights)
    version = json.loads((folder / "configs" / "metadata.json").read_text(encoding="utf-8"))["version"]
    stamp = stamp_of(folder / "common")
    facts = {"bundle": bundle.name, "version": version, "common": stamp, "files": checksums(folder)}
    write_json(folder / MANIFEST, facts)
    return Package(folder, Path(f"{bundle.name}_v{version}.zip"), stamp, tuple(sorted(set(trained.values()))))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _requirements(text: str) -> str:
    """The packages to install, without the repository itself and what is said about it."""
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-e"))]
    return "\n".join(["# What this package needs: pip install -r requirements.txt", *lines]) + "\n"


def _copy_weights(bundle: Path, folder: Path) -> dict[str, str]:
    """Copy the weights that the inference configs name, where they are there.

    Returns:
        The names of their files by the names of the configs.
    """
    trained: dict[str, str] = {}
    for config in sorted((bundle / "configs").glob("inference*.yaml")):
        found = WEIGHTS.search(config.read_text(encoding="utf-8"))
        if found and (bundle / "models" / found[1]).is_file():
            _copy(bundle / "models" / found[1], folder / "models" / found[1])
            trained.setdefault(config.stem, found[1])
    return trained


def _write_configs(bundle: Path, folder: Path, trained: Mapping[str, str]) -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted((bundle / "configs").glob("*.yaml"))}
    aliases = aliases_in(texts)
    for name, text in texts.items():
        fresh = refer_to_code(find_weights(text, bundle.name), aliases)
        knobs = knobs_of(_origin(folder, trained, name))
        if name.startswith("inference"):
            knobs.pop("cavity", None)  # whichever weights it is given, it makes the network for them
        write_text(folder / "configs" / f"{name}.yaml", with_defaults(fresh, knobs))
    outputs = _describe_network(folder, trained)
    for name in TWINS:
        write_text(folder / "configs" / f"{name}.json", json_twin(folder / "configs" / f"{name}.yaml", outputs))


def _origin(folder: Path, trained: Mapping[str, str], config: str) -> dict[str, Any]:
    """The provenance of the weights that a config is for; empty for an overlay and where there are none."""
    weights = trained.get(config.replace("train", "inference"))
    if weights is None or not config.startswith(("train", "inference")):
        return {}
    provenance = read_provenance(folder / "models" / weights)
    if not provenance:
        what = "it records nothing about its training, so the package could not say what its network is"
        raise CheckpointError(Problem(what, str(folder / "models" / weights), "Package the file that training wrote."))
    return provenance


def _describe_network(folder: Path, trained: Mapping[str, str]) -> int:
    """Describe the network of the weights in the metadata, and count its outputs."""
    path = folder / "configs" / "metadata.json"
    text = describe_network(path.read_text(encoding="utf-8"), _origin(folder, trained, "inference"))
    write_text(path, text)
    return int(json.loads(text)["network_data_format"]["outputs"]["pred"]["num_channels"])
