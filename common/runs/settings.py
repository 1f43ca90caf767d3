"""Knobs that a person gives for all commands of a plan: read, and checked against the configs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from common.errors import KnobError, Problem

BETWEEN = re.compile(r",(?![^\[(]*[\])])")
"""A comma that is not within brackets."""


def read_settings(words: Iterable[str], option: str = "--set", example: str = "epochs=1") -> dict[str, str]:
    """``name=value`` words as a mapping.

    Args:
        words: as they are typed.
        option: that they follow, for the message.
        example: of a word.

    Returns:
        The value, as text, under each name.

    Raises:
        KnobError: names every word without an equals sign, and every knob given twice.
    """
    settings: dict[str, str] = {}
    problems = []
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            problems.append(Problem("it is no name=value", f"{option} {word}", f"Write it as in {option} {example}."))
        elif name in settings:
            problems.append(Problem("it is given twice", f"{option} {word}", "Leave one out."))
        settings[name] = value
    if problems:
        raise KnobError(problems)
    return settings


def read_choices(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """``name=a,b,c`` words as a mapping; a comma within brackets belongs to a value.

    Args:
        words: as they are typed.

    Returns:
        The values, as texts, under each name.

    Raises:
        KnobError: names every word without an equals sign, and every knob given twice.
    """
    texts = read_settings(words, "--search", "lr=0.001,0.0003")
    return {name: tuple(part.strip() for part in BETWEEN.split(text)) for name, text in texts.items()}


def setting_problem(name: str, known: Collection[str], own: Mapping[str, str]) -> Problem | None:
    """Why a knob cannot be given for all commands, ``None`` where it can.

    Args:
        name: of the knob.
        known: top-level keys of the configs that the commands read.
        own: knobs that the plan sets itself, and the option that takes their place; empty where none does.
    """
    top, where = top_of(name), f"--set {name}"
    if top in own:
        instead = f"Use {own[top]} instead." if own[top] else "Leave it out."
        return Problem("this command sets it itself", where, instead)
    if top not in known:
        near = [f"--set {word}" for word in difflib.get_close_matches(top, sorted(known), n=3)]
        hint = f"Did you mean {' or '.join(near)}?" if near else "The bundles' docs/README.md list the knobs."
        return Problem("no config of these commands defines it, so it would change nothing", where, hint)
    return None


def top_of(name: str) -> str:
    """The top-level key of a setting: ``train`` of ``train#trainer#max_epochs``."""
    return name.replace("::", "#").partition("#")[0]


def take_known(settings: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    """Those settings that the config files define.

    Args:
        settings: by name.
        files: configs.

    Returns:
        The settings whose top-level key one of the files has.
    """
    known = known_keys(tuple(files))
    return {name: value for name, value in settings.items() if top_of(name) in known}


@cache
def known_keys(files: tuple[Path, ...]) -> frozenset[str]:
    """The top-level keys of config files."""
    found = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    return frozenset(top_of(str(key)) for content in found for key in content)
