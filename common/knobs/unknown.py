"""Overrides that no config defines."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from pydoc import locate
from typing import Any

from common.errors import KnobError, Problem


def refuse_unknown(overrides: Iterable[str], config: Mapping[str, Any]) -> None:
    """Refuse overrides of what a config does not define, nested ones (``train#trainer#max_epochs``) included.

    An argument that the config leaves at its default may be given, such as ``loss#lambda_ce``.

    Args:
        overrides: their names.
        config: merged from all files of a run.

    Raises:
        KnobError: names each unknown override and the nearest known ones.
    """
    problems = [problem for name in overrides if (problem := _unknown_knob(name, config))]
    if problems:
        raise KnobError(problems)


def _unknown_knob(name: str, config: Mapping[str, Any]) -> Problem | None:
    """What is wrong with the first part of an id that nothing defines; ``None`` where all parts are known."""
    node: Any = config
    outer = ""
    for part in name.replace("#", "::").split("::"):
        known = _parts_of(node)
        if known is None:
            return None
        if part not in known:
            near = [f"--{outer}{word}" for word in difflib.get_close_matches(part, known, n=3)]
            hint = f"Did you mean {' or '.join(near)}?" if near else "docs/README.md lists the knobs."
            return Problem("no config of this run defines it, so it would change nothing", f"--{name}", hint)
        node = node[int(part)] if isinstance(node, list) else node.get(part)
        outer += f"{part}#"
    return None


def _parts_of(node: Any) -> list[str] | None:
    """What may be overridden within a part of a config: keys, places, arguments; ``None`` where anything may."""
    if isinstance(node, list):
        return [str(place) for place in range(len(node))]
    if not isinstance(node, Mapping):
        return []
    keys = [str(key) for key in node]
    arguments = _arguments_of(node) if "_target_" in node else []
    return None if arguments is None else [*keys, *arguments]


def _arguments_of(component: Mapping[str, Any]) -> list[str] | None:
    """The names of a component's arguments; ``None`` where it takes any, or where they are not known."""
    from monai.bundle import ConfigComponent

    target: Any = locate(ConfigComponent(dict(component)).resolve_module_name())
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return None
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if takes_any else [*parameters, *ConfigComponent.non_arg_keys]
