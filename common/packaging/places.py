"""Where bundles and packages lie: told in an instant, before torch is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from common.errors import OutputError, PackageError, Problem
from common.vendored import MANIFEST


def require_bundle(bundle: Path) -> None:
    """Refuse what is no bundle.

    Raises:
        OutputError: names what is missing.
    """
    lacking = [name for name in ("configs/metadata.json", "LICENSE", "docs") if not (bundle / name).exists()]
    if lacking:
        hint = "Name a folder of bundles/."
        raise OutputError(Problem(f"it is no bundle: {', '.join(lacking)} is missing", str(bundle), hint))


def require_free(target: Path) -> None:
    """Refuse to put a package where something else is.

    Raises:
        OutputError: another folder, or a file, is in the way.
    """
    hint = "Move it away, or choose another --output."
    if target.parent.exists() and not target.parent.is_dir():
        raise OutputError(Problem("is a file, not a folder", str(target.parent), hint))
    if target.exists() and not (target / MANIFEST).is_file():
        raise OutputError(Problem("a folder that is no package is in the way", str(target), hint))


def require_packages(folders: Sequence[Path]) -> None:
    """Refuse folders that no package was made in.

    Raises:
        PackageError: names each of them.
    """
    hint = "Make it with scripts/package.py, and name its folder in dist/."
    wrong = [folder for folder in folders if not (folder / MANIFEST).is_file()]
    if wrong:
        raise PackageError([Problem(f"it is no package: {MANIFEST} is missing", str(folder), hint) for folder in wrong])
