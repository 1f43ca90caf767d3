"""Weights as other programs save them: under a key of a larger file, or with a prefix before every name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

CONTAINERS = ("model", "state_dict", "model_state_dict", "network", "net")
"""Keys that a state dict is saved under: ours, Lightning's and those of training scripts."""

PREFIXES = ("module.", "_orig_mod.", "model.", "network.", "net.")
"""What DataParallel, torch.compile, Lightning and other wrappers put before the name of every weight."""


def find_state_dict(content: Any) -> Any:
    """The state dict in what was loaded, or what stands in its place: the caller refuses what is no dict."""
    while isinstance(content, Mapping):
        inner = next(
            (content[key] for key in CONTAINERS if key in content and not hasattr(content[key], "shape")), None
        )
        if inner is None:
            break
        content = inner
    return content


def without_prefixes(weights: dict[str, Any], expected: Collection[str] = ()) -> dict[str, Any]:
    """The weights by the names that they have in the network itself.

    Args:
        weights: by the names in a file.
        expected: names in the network; a prefix that it has itself is left.
    """
    while prefix := next(
        (start for start in PREFIXES if weights and all(str(k).startswith(start) for k in weights)), ""
    ):
        if any(key in expected for key in weights):
            break
        weights = {key.removeprefix(prefix): value for key, value in weights.items()}
    return weights


def wrapper_advice(weights: Collection[str], expected: Collection[str]) -> str | None:
    """What to do about a network that stands among other things in a file, ``None`` where it does not."""
    for start in PREFIXES:
        if expected and all(f"{start}{key}" in weights for key in expected):
            other = next((key for key in weights if not str(key).startswith(start)), None)
            beside = f", beside others such as {other}" if other else ""
            return (
                f"Its weights stand under '{start}'{beside}: save a state dict of the network alone, its names without "
                f"'{start}'."
            )
    return None
