"""What segmentation weights say about their network and their images, so that whoever uses them does likewise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.networks.weights.checkpoints import HEAD, load_checked
from common.networks.weights.ensemble import weight_files
from common.networks.weights.provenance import are_there, read_provenance
from common.networks.weights.wrapped import find_state_dict
from common.splits.evaluations import hash_weights

SECOND_LAYER = f"{HEAD}2.weight"
"""That the deep head has, and the standard one has not."""


def head_of(weights: str | Path | Sequence[str | Path], head: str | None = None, absent: str = "standard") -> str:
    """The segmentation head that weights belong to, ``standard`` or ``deep``.

    Args:
        weights: the checkpoint.
        head: the knob; ``None`` to look at the weights.
        absent: the head where the weights are not there yet, as in a federated client before its first round.

    Raises:
        CheckpointError: the checkpoint cannot be read.
    """
    if head is not None:
        return head
    if not are_there(weights):
        return absent
    found = find_state_dict(load_checked(weight_files(weights)[0]))
    return "deep" if any(key.endswith(SECOND_LAYER) for key in found) else "standard"


def standardised_by(provenance: Mapping[str, Any] | str | Path | Sequence[str | Path]) -> str:
    """How the intensities were scaled, as of :func:`common.transforms.preparation.prepare_image`.

    Args:
        provenance: of the weights, or their path; where they are not there yet, or record nothing, the default is
            meant.
    """
    settings = _read(provenance).get("settings") or {}
    return str(settings.get("standardise_by", "volume"))


def slice_size_of(provenance: Mapping[str, Any] | str | Path | Sequence[str | Path] | None) -> list[int] | None:
    """The pixels (x, y) that whole slices were resized to; ``None`` where they kept their size, as by default.

    Args:
        provenance: as of :func:`standardised_by`.
    """
    size = _read(provenance or {}).get("slice_size")
    return [int(side) for side in size] if size else None


def hash_of(*weights: str | Path | Sequence[str | Path]) -> str | None:
    """What tells the weights of several networks from others; ``None`` where they are not there.

    Args:
        weights: the checkpoint of each.
    """
    if not all(map(are_there, weights)):
        return None
    return hash_weights(path for each in weights for path in weight_files(each))


def _read(provenance: Mapping[str, Any] | str | Path | Sequence[str | Path]) -> Mapping[str, Any]:
    if isinstance(provenance, Mapping):
        return provenance
    return read_provenance(provenance) if are_there(provenance) else {}
