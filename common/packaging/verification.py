"""What the model zoo checks of a bundle (``ci/verify_bundle.py``, full mode), and that a package is as it was made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from common.errors import PackageError, Problem
from common.files import is_file, read_json
from common.packaging.archive import checksums, unpack
from common.tasks.metadata import read_metadata
from common.vendored import MANIFEST

NEEDED = (
    "configs/metadata.json",
    "configs/inference.yaml",
    "configs/train.yaml",
    "LICENSE",
    "requirements.txt",
    MANIFEST,
)
MAKE_AGAIN = "Make it again with make package, or take it again from where it came."

RUNS = ("common/", "configs/")
"""What is run of a package. A file that was added elsewhere, as by a training in it, is harmless."""

Check = Callable[[Path], Iterator[str]]


def verify_package(package: Path, schema: Path | None = None) -> list[str]:
    """Check a package; nothing of it runs before its files are known to be those that were packed.

    Args:
        package: its folder, or its zip.
        schema: MONAI's schema of metadata, or the folder that holds it; metadata are not compared with it where it is
            ``None``, since MONAI would download it.

    Returns:
        What was checked, in words.

    Raises:
        PackageError: lists everything that is wrong.
    """
    if package.suffix == ".zip" and is_file(package):
        with tempfile.TemporaryDirectory() as folder:
            return verify_package(unpack(package, Path(folder)), schema)
    check_content(package)
    checks: dict[str, Check] = {"shapes of the network's inputs and outputs": _check_shapes}
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
    return ["its files are those of the manifest", "version and changelog", *checks]


def check_content(package: Path) -> None:
    """Check that a package holds what it held when it was made; nothing of it runs.

    Args:
        package: its folder.

    Raises:
        PackageError: lists every file that is missing, was changed or added; or what the metadata lack.
    """
    problems = [Problem(what, str(package), MAKE_AGAIN) for what in dict.fromkeys(_changes(package))]
    metadata = package / "configs" / "metadata.json"
    try:
        if is_file(metadata):
            read_metadata(metadata)
    except PackageError as error:
        problems += error.problems
    if problems:
        raise PackageError(problems)


def _changes(package: Path) -> Iterator[str]:
    yield from (f"{name} is missing" for name in NEEDED if not (package / name).is_file())
    if not (package / MANIFEST).is_file():
        return
    stated, found = _stated_files(package / MANIFEST), checksums(package)
    yield from (f"{name} is missing" for name in stated if name not in found)
    yield from (f"{name} was changed" for name in stated if name in found and stated[name] != found[name])
    yield from (f"{name} was added" for name in found if name not in stated and name.startswith(RUNS))


def _stated_files(manifest: Path) -> dict[str, str]:
    """The checksums of a manifest by the names of files."""
    try:
        content = read_json(manifest)
    except (OSError, ValueError) as error:
        raise PackageError(Problem(f"cannot be read as JSON ({error})", str(manifest), MAKE_AGAIN)) from error
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise PackageError(Problem("lists no files with checksums", str(manifest), MAKE_AGAIN))
    return files


def _check_metadata(package: Path, schema: Path) -> Iterator[str]:
    from monai.bundle import verify_metadata

    url = str(read_metadata(package / "configs" / "metadata.json").get("schema", ""))
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
