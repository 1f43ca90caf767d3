"""What the model zoo checks of a bundle (``ci/verify_bundle.py``, full mode), and that a package is as it was made."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from common.errors import PackageError, Problem
from common.packaging.archive import checksums
from common.packaging.places import MANIFEST

NEEDED = (
    "configs/metadata.json",
    "configs/inference.yaml",
    "configs/train.yaml",
    "LICENSE",
    "requirements.txt",
    MANIFEST,
)
MAKE_AGAIN = "Make it again with make package."

Check = Callable[[Path], Iterator[str]]


def verify_package(package: Path, schema: Path | None = None) -> list[str]:
    """Check a package.

    Args:
        package: its folder.
        schema: MONAI's schema of metadata, or the folder that holds it; metadata are not compared with it where it is
            ``None``, since MONAI would download it.

    Returns:
        What was checked, in words.

    Raises:
        PackageError: lists everything that is wrong.
    """
    checks: dict[str, Check] = {
        "its files are those of the manifest": _check_files,
        "version and changelog": _check_version,
        "shapes of the network's inputs and outputs": _check_shapes,
    }
    if schema is not None:
        checks["metadata by MONAI's schema"] = lambda folder: _check_metadata(folder, schema)
    if (package / "models" / "model.pt").is_file():
        checks["weights export to TorchScript"] = _check_torchscript
    problems = [
        Problem(f"{name}: {what}", str(package), MAKE_AGAIN)
        for name, check in checks.items()
        for what in check(package)
    ]
    if problems:
        raise PackageError(problems)
    return list(checks)


def _check_files(package: Path) -> Iterator[str]:
    yield from (f"{name} is missing" for name in NEEDED if not (package / name).is_file())
    if not (package / MANIFEST).is_file():
        return
    stated, found = json.loads((package / MANIFEST).read_text(encoding="utf-8"))["files"], checksums(package)
    yield from (f"{name} is missing" for name in stated if name not in found)
    yield from (f"{name} was changed" for name in stated if name in found and stated[name] != found[name])


def _check_version(package: Path) -> Iterator[str]:
    metadata = json.loads((package / "configs" / "metadata.json").read_text(encoding="utf-8"))
    if metadata.get("version") not in metadata.get("changelog", {}):
        yield f"version {metadata.get('version')} is not in the changelog"


def _check_metadata(package: Path, schema: Path) -> Iterator[str]:
    from monai.bundle import verify_metadata

    url = json.loads((package / "configs" / "metadata.json").read_text(encoding="utf-8"))["schema"]
    file = schema / url.rpartition("/")[2] if schema.is_dir() else schema
    yield from _complaint(verify_metadata, meta_file=str(package / "configs" / "metadata.json"), filepath=str(file))


def _check_shapes(package: Path) -> Iterator[str]:
    from monai.bundle import verify_net_in_out

    yield from _complaint(verify_net_in_out, net_id="network_def", **_files(package))


def _check_torchscript(package: Path) -> Iterator[str]:
    from monai.bundle import ckpt_export

    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder, "model.ts"))
        weights = str(package / "models" / "model.pt")
        yield from _complaint(ckpt_export, net_id="network_def", filepath=target, ckpt_file=weights, **_files(package))
    provided = package / "models" / "model.ts"
    if provided.is_file():
        yield from _complaint(torch.jit.load, str(provided))


def _files(package: Path) -> dict[str, str]:
    configs = package / "configs"
    return {
        "meta_file": str(configs / "metadata.json"),
        "config_file": str(configs / "inference.yaml"),
        "bundle_root": str(package),
    }


def _complaint(call: Callable[..., Any], *args: Any, **options: Any) -> Iterator[str]:
    """The last line of what a function of MONAI's raises; nothing where it raises nothing."""
    try:
        call(*args, **options)
    except Exception as error:  # each of them raises what the failing library raises
        yield str(error).strip().rpartition("\n")[2] or type(error).__name__
