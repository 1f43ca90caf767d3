"""The knobs of the 3D network, as a config or a command line hands them over, checked all at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from common.errors import KnobError, Problem
from common.networks.fusion_knobs import TRAINABLE
from common.networks.knob_values import is_count, plain_knob
from common.networks.video_backbones import VIDEO_BACKBONES


@dataclass(frozen=True)
class VideoKnobs:
    """Plain values of :class:`~common.networks.spatiospatial.SpatioSpatialClassifier`'s knobs."""

    backbone: str
    in_channels: int
    num_classes: int
    dropout: float
    trainable: str

    @classmethod
    def read(cls, **given: Any) -> VideoKnobs:
        """Numbers may come as text.

        Raises:
            KnobError: names every knob that has no meaning.
        """
        values = {name: plain_knob(value) for name, value in given.items()}
        found = (_problem(field.name, values[field.name]) for field in fields(cls))
        problems = [problem for problem in found if problem]
        if problems:
            raise KnobError(problems)
        return cls(**{**values, "dropout": float(values["dropout"])})


def _problem(name: str, value: Any) -> Problem | None:
    fits, mend = {
        "backbone": (value in VIDEO_BACKBONES, f"Choose one of: {', '.join(VIDEO_BACKBONES)}."),
        "in_channels": (is_count(value), "Give a whole number from 1."),
        "num_classes": (is_count(value, 2), "Give a whole number from 2."),
        "dropout": (_is_share(value), "Give a share from 0 to less than 1."),
        "trainable": (value in TRAINABLE, f"Choose one of: {', '.join(TRAINABLE)}."),
    }[name]
    return None if fits else Problem(f"{value!r} is no choice", f"--{name}", mend)


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
