"""Several networks of one kind, whose probabilities are averaged; each has a checkpoint of its own."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from common.errors import CheckpointError, KnobError, Problem
from common.networks.weights.checkpoints import LISTS, plain_values

LEAST = 1e-7
"""The smallest probability whose logarithm is taken."""

UNITED = tuple(name for name in LISTS if name.startswith(("training_", "validation_")))
"""Whom any of the members has learned from, or was chosen by."""

AVERAGED = ("class_shares", "median_days")
"""What differs with the patients that a member was trained on, and has a mean."""

OWN = ("split_hash", "epoch", "version", "validation_patients", "kept")
"""What each member has of its own, besides its score in validation."""

HINTS = {
    "survival": "Train all of them with the same --thresholds.",
    "classes": "Train all of them with the same --thresholds.",
    "encoder": "Train all of them on one split: --split_file <split.json of the first>, each with a --seed of its own.",
}


class Ensemble(nn.Module):
    """Averages the probabilities of its members.

    Args:
        members: networks that take the same input and give logits of the same classes, (batch, class, ...).

    Shapes:
        As of a member; what is returned is the logarithm of the mean probability, whose soft-max is that mean.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """The logarithm of the mean probability of each class."""
        probabilities = [member(*args, **kwargs).float().softmax(dim=1) for member in self.members]
        return torch.stack(probabilities).mean(dim=0).clamp_min(LEAST).log()


def weight_files(weights: Any) -> tuple[Path, ...]:
    """The checkpoints that a knob names: one, a list of them, or several as a text.

    Args:
        weights: a path, a list, or ``a.pt,b.pt`` with or without brackets, as a command line gives it.
    """
    weights = getattr(weights, "_raw", weights)
    if isinstance(weights, list | tuple):
        return tuple(Path(str(path)) for path in weights)
    text = str(weights)
    if Path(text).exists() or "," not in text:
        return (Path(text),)
    inner = re.fullmatch(r"\[(.*)\]", text.strip())
    parts = (inner[1] if inner else text).split(",")
    return tuple(Path(part.strip().strip("'\"")) for part in parts if part.strip())


def ensemble_of(network: nn.Module, weights: Any, temperature: float = 1.0) -> nn.Module:
    """The network itself for one checkpoint, an :class:`Ensemble` for several, of which it is the first member.

    Args:
        network: not yet with its weights.
        weights: as of :func:`weight_files`.
        temperature: by which its logits are divided; 1 leaves them.

    Raises:
        CheckpointError: a checkpoint is named twice.
        KnobError: the temperature is no number above 0.
    """
    divisor = _checked(temperature)
    files = weight_files(weights)
    twice = sorted({str(path) for path in files if files.count(path) > 1})
    if twice:
        what = "it is named twice, and would count twice"
        raise CheckpointError([Problem(what, path, "Name each checkpoint once.") for path in twice])
    united = network if len(files) == 1 else Ensemble([network, *(deepcopy(network) for _ in files[1:])])
    if divisor != 1:
        united.register_forward_hook(partial(_divide, divisor))
    return united


def _checked(temperature: Any) -> float:
    value = temperature if isinstance(temperature, int | float) and not isinstance(temperature, bool) else math.nan
    if not 0 < value < math.inf:
        hint = "Give a number above 0; the report of the validation side names the one that fits it."
        raise KnobError(Problem(f"{temperature} is no temperature", "--temperature", hint))
    return float(value)


def _divide(divisor: float, _: nn.Module, __: Any, logits: Tensor) -> Tensor:
    return logits / divisor


def members_of(network: nn.Module, weights: Any) -> list[tuple[nn.Module, Path]]:
    """Each member of a network with its checkpoint; the network itself where it is no ensemble."""
    files = weight_files(weights)
    networks = list(network.members) if isinstance(network, Ensemble) else [network]
    if len(networks) != len(files):
        what = f"{len(files)} checkpoints are given for {len(networks)} networks"
        raise CheckpointError(Problem(what, ", ".join(map(str, files)), "Only --checkpoint takes several."))
    return list(zip(networks, files, strict=True))


def unite(provenances: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """What several members record, as the record of one network.

    Args:
        provenances: of each checkpoint.

    Returns:
        That of a single one as it is. Of several what all record alike; the patients of any of them; means where a
        value differs with the patients; the members' epochs as ``epoch``, and their number as ``members``.

    Raises:
        CheckpointError: they differ in anything else, so that no mean of them makes sense.
    """
    (first, one), *others = provenances.items()
    if not others or not any(provenances.values()):
        return dict(one)
    problems = [problem for path, other in others if (problem := _difference(first, one, path, other))]
    if problems:
        raise CheckpointError(problems)
    found = list(provenances.values())
    united = {name: sorted({part for each in found for part in each.get(name) or ()}) for name in UNITED if name in one}
    means = {name: _mean([each[name] for each in found]) for name in AVERAGED if one.get(name)}
    kept = {name: value for name, value in one.items() if not _is_own(name)}
    own = {"version": one.get("version"), "epoch": [each.get("epoch") for each in found], "members": len(found)}
    return {**kept, **united, **means, **own}


def _difference(first: Path, one: Mapping[str, Any], path: Path, other: Mapping[str, Any]) -> Problem | None:
    compared = [name for name in {**one, **other} if name not in (*UNITED, *AVERAGED) and not _is_own(name)]
    differing = [name for name in compared if plain_values(one.get(name)) != plain_values(other.get(name))]
    differing += [name for name in (*UNITED, *AVERAGED) if (name in one) != (name in other)]
    if not differing:
        return None
    hint = next((HINTS[name] for name in differing if name in HINTS), "Average only networks that were trained alike.")
    return Problem(f"it differs from {first} in {', '.join(differing)}, so they cannot be averaged", path, hint)


def _is_own(name: str) -> bool:
    return name in OWN or name.startswith("val_")


def _mean(values: Sequence[Any]) -> Any:
    """Of numbers, of lists of them, or of numbers by name."""
    if isinstance(values[0], Mapping):
        return {name: _mean([value[name] for value in values]) for name in values[0]}
    if isinstance(values[0], list | tuple):
        return [_mean(parts) for parts in zip(*values, strict=True)]
    return sum(values) / len(values)
