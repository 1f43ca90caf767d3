"""The knobs of the networks for single slices, from a config or a command line, checked all at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from common.errors import KnobError, Problem
from common.knobs import as_tuple, is_count, plain_knob
from common.networks.backbones import backbone_problem
from common.networks.fusion_knobs import TRAINABLE

NETS = ("A", "B")
CHANNELS = {"A": 1, "B": 3}
SMALLEST_SIDE = 32
"""Smallest side in pixels for which the feature maps of both networks are not empty."""


@dataclass(frozen=True)
class SliceKnobs:
    """The knobs of :class:`~common.networks.slice_classifier.SliceClassifier`, converted; see its arguments.

    Args:
        net: ``A`` or ``B``.
        image_size: pixels along x and y.
        filters: of the convolutions of net A.
        kernel: pixels of a side of them.
        dropout: of net A.
        units: widths of the dense layers.
        backbone: of net B.
        trainable: ``all`` or ``head``.
    """

    net: str
    image_size: tuple[int, int]
    filters: int
    kernel: int
    dropout: float
    units: tuple[int, ...]
    backbone: str
    trainable: str

    @property
    def in_channels(self) -> int:
        """Of the images: grey for net A, RGB for net B."""
        return CHANNELS[self.net]

    @classmethod
    def read(cls, **given: Any) -> SliceKnobs:
        """Numbers and lists may come as text.

        Raises:
            KnobError: names every knob that has no meaning.
        """
        values = {name: plain_knob(value) for name, value in given.items()}
        for name in ("image_size", "units"):
            values[name] = as_tuple(values[name])
        problems = [
            problem
            for problem in (_problem(field.name, values[field.name], values) for field in fields(cls))
            if problem
        ]
        if problems:
            raise KnobError(problems)
        return cls(**{**values, "dropout": float(values["dropout"])})


def channels_of(net: str) -> int:
    """Channels of the images that a net takes.

    Raises:
        KnobError: there is no such net.
    """
    problem = _problem("net", net, {})
    if problem:
        raise KnobError(problem)
    return CHANNELS[net]


def _problem(name: str, value: Any, values: dict[str, Any]) -> Problem | None:
    if name == "backbone":
        return backbone_problem(value) if values["net"] == "B" else None
    sides = f"Give two whole numbers from {SMALLEST_SIDE}, such as [240,240]."
    fits, hint = {
        "net": (value in NETS, f"Choose {' or '.join(NETS)}."),
        "image_size": (_is_size(value), sides),
        "filters": (is_count(value), "Give a whole number from 1."),
        "kernel": (is_count(value) and value % 2 == 1, "Give an odd number, such as 3."),
        "dropout": (_is_share(value), "Give a share from 0 to less than 1."),
        "units": (
            isinstance(value, tuple) and all(map(is_count, value)),
            "Give widths of dense layers, such as [500].",
        ),
        "trainable": (value in TRAINABLE, f"Choose one of: {', '.join(TRAINABLE)}."),
    }[name]
    shown = list(value) if isinstance(value, tuple) else value
    return None if fits else Problem(f"{shown!r} is no choice", f"--{name}", hint)


def _is_size(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(is_count(side, SMALLEST_SIDE) for side in value)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
