"""The knobs of the fusion network, from a config or a command line, checked all at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from common.errors import KnobError, Problem
from common.knobs import as_tuple, is_count, plain_knob
from common.networks.backbones import backbone_problem

ACTIVATIONS = ("relu", "tanh")
TRAINABLE = ("all", "head")


@dataclass(frozen=True)
class FusionKnobs:
    """The knobs of :class:`~common.networks.fusion.FusionClassifier`, converted; the arguments there have their
    meaning.

    Args:
        backbone: name.
        in_channels: of the images.
        num_classes: at least two.
        in_clinical: number of clinical values.
        units: widths of the dense layers.
        batch_norm: how many of them have batch normalisation.
        dropout: after each activation.
        activation: ``relu`` or ``tanh``.
        image_units: width of a layer before fusion, or ``None``.
        clinical_units: widths of the layers of the clinical values.
        trainable: ``all`` or ``head``.
    """

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
        values = {name: plain_knob(value) for name, value in given.items()}
        values["units"], values["clinical_units"] = as_tuple(values["units"]), as_tuple(values["clinical_units"])
        if isinstance(values["dropout"], int) and not isinstance(values["dropout"], bool):
            values["dropout"] = float(values["dropout"])
        problems = [
            problem for problem in (_problem(field.name, values[field.name]) for field in fields(cls)) if problem
        ]
        if problems:
            raise KnobError(problems)
        return cls(**values)


def _problem(name: str, value: Any) -> Problem | None:
    if name == "backbone":
        return backbone_problem(value)
    fits, hint = {
        "in_channels": (is_count(value), "Give a whole number from 1."),
        "num_classes": (is_count(value, 2), "Give a whole number from 2."),
        "in_clinical": (is_count(value, 0), "Give the number of clinical values, 0 for none."),
        "units": (
            _are_counts(value) and len(value) in (0, 2),
            "Give the widths of two dense layers, such as [256,256], or [] for none.",
        ),
        "batch_norm": (is_count(value, 0) and value <= 2, "Choose 0, 1 or 2: dense layers with batch normalisation."),
        "dropout": (isinstance(value, float) and 0 <= value < 1, "Give a share from 0 to less than 1."),
        "activation": (value in ACTIVATIONS, f"Choose one of: {', '.join(ACTIVATIONS)}."),
        "image_units": (value is None or is_count(value), "Give a whole number from 1, or null to leave it out."),
        "clinical_units": (_are_counts(value), "Give widths such as [10,10], or [] for the values as they are."),
        "trainable": (value in TRAINABLE, f"Choose one of: {', '.join(TRAINABLE)}."),
    }[name]
    shown = list(value) if isinstance(value, tuple) else value
    return None if fits else Problem(f"{shown!r} is no choice", f"--{name}", hint)


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple) and all(is_count(value) for value in values)
