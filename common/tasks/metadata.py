"""``metadata.json`` of a bundle: what it is, and what goes in and out of its network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common.errors import PackageError, Problem
from common.files import read_json

HINT = "Take the file that came with the bundle."
TEXTS = ("version", "task", "intended_use", "data_type")
OBJECTS = ("changelog", "network_data_format")


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read a bundle's metadata.

    Args:
        path: of ``metadata.json``.

    Returns:
        Its content, in which all that this suite uses is there: the texts of :data:`TEXTS`, a change for the version,
        and the inputs and outputs of the network.

    Raises:
        PackageError: the file cannot be read, or lists everything that it lacks.
    """
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise PackageError(Problem(f"cannot be read as JSON ({error})", str(path), HINT)) from error
    problems = [Problem(what, str(path), HINT) for what in _find_faults(content)]
    if problems:
        raise PackageError(problems)
    return dict(content)


def _find_faults(content: Any) -> list[str]:
    if not isinstance(content, dict):
        return ["it holds no metadata of a bundle"]
    faults = [f"it says nothing of its {name}" for name in TEXTS if not _is_text(content.get(name))]
    faults += [f"its {name} is no object" for name in OBJECTS if not isinstance(content.get(name), dict)]
    if faults:
        return faults
    if not _is_text(content["changelog"].get(content["version"])):
        faults.append(f"version {content['version']} is not in the changelog")
    for part in ("inputs", "outputs"):
        named = content["network_data_format"].get(part)
        if not isinstance(named, dict) or not named or not all(isinstance(one, dict) for one in named.values()):
            faults.append(f"its network_data_format has no {part}")
    return faults


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
