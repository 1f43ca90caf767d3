"""The knobs of the fusion network, as a config or a command line hands them over, checked all at once."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from common.errors import KnobError, Problem
from common.networks.backbones import backbone_problem

ACTIVATIONS = ("relu", "tanh")
TRAINABLE = ("all", "head")


@dataclass(frozen=True)
class FusionKnobs:
    """Plain values of :class:`~common.networks.fusion.FusionClassifier`'s knobs, of the types that it needs."""

    backbone: str
    in_channels: int
    num_classes: int
    in_clinical: int
    units: tuple[int, ...]
    batch_norm: int
    dropout: float
    activation: str
    image_units: int | None
    clinical_units: tuple[int, ...]
    trainable: str

    @classmethod
    def read(cls, **given: Any) -> FusionKnobs:
        """Numbers and lists may come as text.

        Raises:
            KnobError: names every knob that has no meaning.
        """
        values = {name: _plain(value) for name, value in given.items()}
        values["units"], values["clinical_units"] = _as_tuple(values["units"]), _as_tuple(values["clinical_units"])
        if isinstance(values["dropout"], int) and not isinstance(values["dropout"], bool):
            values["dropout"] = float(values["dropout"])
        problems = [
            problem for problem in (_problem(field.name, values[field.name]) for field in fields(cls)) if problem
        ]
        if problems:
            raise KnobError(problems)
        return cls(**values)


def _plain(value: Any) -> Any:
    """``"[64, 64]"``, ``"0.3"`` and ``"none"`` are what they look like; any other text stays text."""
    if isinstance(value, str):
        if value.strip().lower() in ("none", "null", ""):
            return None
        try:
            return ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            return value
    return value


def _as_tuple(value: Any) -> Any:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def _problem(name: str, value: Any) -> Problem | None:
    if name == "backbone":
        return backbone_problem(value)
    fits, mend = {
        "in_channels": (_is_count(value), "Give a whole number from 1."),
        "num_classes": (_is_count(value, 2), "Give a whole number from 2."),
        "in_clinical": (_is_count(value, 0), "Give the number of clinical values, 0 for none."),
        "units": (
            _are_counts(value) and len(value) == 2,
            "Give the widths of two dense layers, such as [256,256].",
        ),
        "batch_norm": (_is_count(value, 0) and value <= 2, "Choose 0, 1 or 2: dense layers with batch normalisation."),
        "dropout": (isinstance(value, float) and 0 <= value < 1, "Give a share from 0 to less than 1."),
        "activation": (value in ACTIVATIONS, f"Choose one of: {', '.join(ACTIVATIONS)}."),
        "image_units": (value is None or _is_count(value), "Give a whole number from 1, or null to leave it out."),
        "clinical_units": (_are_counts(value), "Give widths such as [10,10], or [] for the values as they are."),
        "trainable": (value in TRAINABLE, f"Choose one of: {', '.join(TRAINABLE)}."),
    }[name]
    shown = list(value) if isinstance(value, tuple) else value
    return None if fits else Problem(f"{shown!r} is no choice", f"--{name}", mend)


def _is_count(value: Any, least: int = 1) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple) and all(_is_count(value) for value in values)
