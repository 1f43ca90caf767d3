"""What an input is, and what is known of the value that reading it must give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

Refusal = Literal["wrong", "allowed", "right"]


@dataclass(frozen=True)
class Truth:
    """What reading an input must give.

    Args:
        value: the right value, where one is known.
        known: whether it is.
        refusal: what an error of ours is: wrong (the input is sound), allowed (it is damaged, and the damage may be
            without effect), or right (a value would be wrong).
    """

    value: Any = None
    known: bool = True
    refusal: Refusal = "wrong"

    def is_met_by(self, found: Any) -> bool:
        """Whether a value that was read may be."""
        return self.refusal != "right" and (not self.known or equal(self.value, found))


def must_be(value: Any) -> Truth:
    """The input is sound: this value, and no error."""
    return Truth(value)


def must_be_or_refused(value: Any) -> Truth:
    """The input is damaged: this value, where the damage has no effect, or an error."""
    return Truth(value, refusal="allowed")


MUST_BE_REFUSED = Truth(known=False, refusal="right")
ANYTHING = Truth(known=False, refusal="allowed")
"""A value of the right kind, or an error."""

Draw = np.random.Generator


@dataclass(frozen=True)
class Mutation:
    """A change of a sound input.

    Args:
        name: for the report, and for tests of what was found.
        apply: makes the changed input in a folder out of what ``write`` of the reader returned, and says what reading
            it must give.
        weight: how often it is drawn, compared with the others of its reader.
    """

    name: str
    apply: Callable[[Path, Any, Draw], Truth]
    weight: float = 1.0


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Args:
        name: of the reader.
        write: writes a sound input into a folder; what it returns is given to a mutation.
        mutations: of which one is applied.
        has_header: whether the input passes the first look at its header, as any program of the field takes it.
        read: reads the folder as the suite does; results go to the second folder, and nothing anywhere else.
    """

    name: str
    write: Callable[[Path, Draw], Any]
    mutations: tuple[Mutation, ...]
    has_header: Callable[[Path], bool]
    read: Callable[[Path, Path], Any]

    def mutate(self, folder: Path, draw: Draw) -> tuple[str, Truth]:
        """Write an input; returns what was done to it and what reading it must give."""
        weights = np.array([mutation.weight for mutation in self.mutations])
        mutation = self.mutations[int(draw.choice(len(weights), p=weights / weights.sum()))]
        return mutation.name, mutation.apply(folder, self.write(folder, draw), draw)


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same; numbers up to the rounding of single precision, NaN equals NaN."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        return one.shape == other.shape and np.allclose(one, other, rtol=1e-5, atol=1e-4, equal_nan=True)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-6) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)
