"""The code of a packaged bundle, found beside its configs and never taken from another package.

A packaged config runs this file by its path, since nothing else of ``common`` can be imported yet. Two packages in one
process share one ``common`` where theirs are the same, byte by byte; where they are not, the second is refused.
:func:`own_file` finds the package's weights for programs that do not say where the bundle is.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

LEFT_OUT = ("crossvalidation", "demonstration", "packaging", "phantoms", "reproduction", "runs")
"""Packages of ``common`` that no bundle needs to train, evaluate or infer."""

STAMP_LENGTH = 16
MANIFEST = "manifest.json"


class Code:
    """The packages and modules of ``common`` as attributes; each is imported when it is first asked for.

    Args:
        module: whose attributes these are.
    """

    def __init__(self, module: str = "common") -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what MONAI and pickle ask every object for
            raise AttributeError(name)
        found = getattr(importlib.import_module(self._module), name, None)
        if found is not None and not isinstance(found, ModuleType):
            return found
        importlib.import_module(f"{self._module}.{name}")
        return Code(f"{self._module}.{name}")


def open_code(root: str | Path) -> Code:
    """Make the ``common`` of a package importable.

    Args:
        root: folder of the package.

    Raises:
        PackageError: another ``common``, with other content, is loaded in this process; names both.
    """
    own = Path(root).resolve() / "common"
    if "common" not in sys.modules:
        sys.path.insert(0, str(own.parent))
    loaded = Path(importlib.import_module("common").__path__[0]).resolve()
    if loaded != own and stamp_of(loaded) != stamp_of(own):
        from common.errors import PackageError, Problem

        what = f"its code (stamp {stamp_of(own)}) is not the one that this process uses already, "
        what += f"from {loaded.parent} (stamp {stamp_of(loaded)})"
        hint = "Use packages of one version in one process: make them again with one `make package`, or start another."
        raise PackageError(Problem(what, str(own.parent), hint))
    return Code()


def stamp_of(folder: str | Path) -> str:
    """The first digits of the SHA-256 of what a bundle needs of ``common``: names and bytes of all files.

    Args:
        folder: ``common`` of a package, or of the repository.
    """
    digest = hashlib.sha256()
    for path in needed_files(folder):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:STAMP_LENGTH]


def needed_files(folder: str | Path) -> Iterator[Path]:
    """The files of ``common`` that a bundle needs, in one order everywhere."""
    for path in sorted(Path(folder).rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        parts = path.relative_to(folder).parts
        if path.is_file() and parts[0] not in LEFT_OUT and "__pycache__" not in parts:
            yield path


def own_file(bundle: str, name: str, bundle_root: str | Path, places: Iterable[str | Path]) -> str:
    """A file of a bundle, wherever it is.

    MONAI Deploy's operator leaves ``bundle_root`` at ``.`` and puts the bundle's folder on ``sys.path``.

    Args:
        bundle: its name.
        name: of the file, below the bundle's folder.
        bundle_root: where the file is looked for first.
        places: folders that may be the bundle's.

    Returns:
        The first file that is there in a folder which is not another bundle's; else the one below ``bundle_root``.
    """
    for place in (bundle_root, *places):
        if Path(place, name).is_file() and _bundle_in(Path(place)) in (bundle, None):
            return str(Path(place, name))
    return str(Path(bundle_root, name))


def _bundle_in(folder: Path) -> str | None:
    """The name of the bundle that a folder is of; ``None`` where it is no bundle's."""
    if (folder / MANIFEST).is_file():
        return str(json.loads((folder / MANIFEST).read_text(encoding="utf-8")).get("bundle"))
    return folder.resolve().name if (folder / "configs").is_dir() else None
