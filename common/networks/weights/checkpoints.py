"""Checkpoints that load without running code, with their provenance.

A checkpoint is a bare state dict, which every program that uses PyTorch can load. Its provenance is an entry of the
dict's own ``_metadata``, where PyTorch keeps the versions of modules, and stays there through ``torch.save`` and
``torch.load``. It holds the bundle, the network's settings or stage, recipe, kind of split and the hashed ids that the
weights were trained on. Checkpoints of earlier versions, ``{"model": state_dict, "provenance": {...}}``, are read too.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from common.command_line import NOTHING
from common.errors import CheckpointError, Problem, list_some
from common.files import atomic_path
from common.networks.weights.wrapped import find_state_dict, without_prefixes, wrapper_advice
from common.records import MASK_CLASSES

COPY_AGAIN = "Copy or train it again."
PROVENANCE = "provenance"
LISTS = (
    *("training_subjects", "validation_subjects", "training_scans", "validation_scans"),
    *("classes", "modalities"),
)
"""What a provenance records as lists of texts."""

RECORDED: dict[str, type] = {
    **dict.fromkeys(("bundle", "recipe", "protocol", "version", "split_hash"), str),
    **dict.fromkeys(("settings", "encoder"), dict),
    **dict.fromkeys(LISTS, list),
}
"""Of what type a value of a provenance is, where it is there."""

OTHER_ENCODER = "and give the --network_def#encoder that it was trained with, where it has another."
HEAD = ".segmentation_head."


def save_weights(path: str | Path, weights: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
    """Write a state dict that carries its provenance, as :func:`save_checkpoint` does.

    Args:
        path: of the file.
        weights: the state dict; it is left as it is.
        provenance: what the weights come from; see :func:`plain_values`.
    """
    carrier: OrderedDict[str, Any] = OrderedDict(weights)
    metadata = {**getattr(weights, "_metadata", {}), PROVENANCE: plain_values(provenance)}
    carrier._metadata = metadata  # type: ignore[attr-defined]
    save_checkpoint(path, carrier)


def save_checkpoint(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically: if it is interrupted, the old one is unchanged.

    Raises:
        OutputError: it cannot be written, for lack of space or of permissions.
    """
    with atomic_path(path) as temporary:
        buffer = io.BytesIO()  # torch's own writer hides a full disk behind a RuntimeError ("unexpected pos")
        torch.save(content, buffer)
        temporary.write_bytes(buffer.getvalue())  # a view of it, left to an exception, makes Python 3.12.1 crash


def load_checked(path: str | Path) -> dict[str, Any]:
    """Load a checkpoint, or the state to resume a run from, with ``weights_only=True``.

    Returns:
        What the file holds; :func:`provenance_of` finds the provenance in it.

    Raises:
        CheckpointError: it is missing, damaged, or holds anything but tensors and plain values.
    """
    try:
        _refuse_changed(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        hint = "Train first, or correct the path (--checkpoint, --init_weights or --pretrained)."
        raise CheckpointError(Problem("the checkpoint does not exist", str(path), hint)) from error
    except pickle.UnpicklingError as error:
        if not zipfile.is_zipfile(path) and not _is_pickle(path):
            raise CheckpointError(Problem("it is no checkpoint", str(path), COPY_AGAIN)) from error
        what = "it holds Python objects, which could run code when loaded; only tensors and plain values are accepted"
        hint = "Take weights only from a source you trust, saved as a state dict."
        raise CheckpointError(Problem(what, str(path), hint)) from error
    except Exception as error:  # the unpickler raises arbitrary errors for arbitrary bytes
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise CheckpointError(Problem(f"it cannot be read ({reason})", str(path), COPY_AGAIN)) from error
    if not isinstance(content, dict):
        raise CheckpointError(Problem("it holds no state dict", str(path), "Give a checkpoint of this bundle."))
    return content


def _refuse_changed(path: str | Path) -> None:
    """Compare what a checkpoint holds with its checksums, which PyTorch does not do.

    Raises:
        ValueError: a bit was lost since it was written. So do others of a broken zip.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            changed = archive.testzip()
        if changed is not None:
            raise ValueError(f"{changed} was changed after it was written")


def _is_pickle(path: str | Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(1) == pickle.PROTO


def provenance_of(content: Any) -> Any:
    """What a loaded checkpoint records about its training; empty where that was lost on the way."""
    if isinstance(content, Mapping) and PROVENANCE in content:
        return content[PROVENANCE]
    return getattr(find_state_dict(content), "_metadata", {}).get(PROVENANCE, {})


def load_weights(
    network: nn.Module,
    path: str | Path,
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
) -> dict[str, Any]:
    """Load the weights of a checkpoint into ``network``.

    Weights that another program wrapped, under a key such as ``state_dict`` or with ``module.`` before their names,
    are unwrapped.

    Args:
        network: takes the weights.
        path: the checkpoint.
        settings: knobs of ``network`` that must be those of the checkpoint, where its provenance has ``settings`` too.
        bundle: the only bundle that the checkpoint may come from, where its provenance names one.

    Returns:
        The checkpoint's provenance; empty where it was lost.

    Raises:
        CheckpointError: the checkpoint belongs to another bundle or network; names the knobs to pass, or the
            missing overlay, where these are known.
    """
    return use_weights(network, load_checked(path), path, settings=settings, bundle=bundle)


def use_weights(
    network: nn.Module,
    content: Mapping[str, Any],
    path: str | Path,
    head_may_differ: bool = False,
    settings: Mapping[str, Any] | None = None,
    bundle: str | None = None,
) -> dict[str, Any]:
    """Load the weights of an opened checkpoint into ``network``.

    Args:
        network: takes the weights.
        content: of :func:`load_checked`.
        path: of the file, for messages.
        head_may_differ: leave the segmentation head as it is where the checkpoint's has other shapes (P3, stage 2).
        settings: as for :func:`load_weights`, like the next one.
        bundle: that must fit.

    Returns:
        The checkpoint's provenance.

    Raises:
        CheckpointError: as for :func:`load_weights`.
    """
    weights, provenance = find_state_dict(content), provenance_of(content)
    if not isinstance(weights, dict) or not isinstance(provenance, dict):
        raise CheckpointError(Problem("it holds no state dict", str(path), "Give a checkpoint of this bundle."))
    _check_record(provenance, path)
    _check_origin(provenance, path, settings, bundle)
    expected = network.state_dict()
    weights = without_prefixes(weights, expected)
    if head_may_differ and _head_shapes(weights) != _head_shapes(expected):
        weights = {key: value for key, value in weights.items() if HEAD not in key}
        weights |= {key: value for key, value in expected.items() if HEAD in key}
    differing = weight_differences(expected, weights)
    if differing:
        shown = list_some(differing, 3, "; ")
        advice = wrapper_advice(weights, expected) or _cavity_advice(provenance, expected) or _advice(provenance)
        raise CheckpointError(Problem(f"it belongs to another network ({shown})", str(path), advice))
    network.load_state_dict(weights)
    return provenance


def plain_values(value: Any) -> Any:
    """``value`` as dicts, lists and plain numbers, which load with ``weights_only=True``.

    Tuples become lists, numpy's numbers Python's; a config's proxy becomes its dict or list.
    """
    value = getattr(value, "_raw", value)
    if isinstance(value, Mapping):
        return {str(key): plain_values(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value


def _check_record(provenance: Mapping[str, Any], path: str | Path) -> None:
    """Refuse a provenance in which something stands that this suite never writes there."""
    odd = [name for name, kind in RECORDED.items() if not isinstance(provenance.get(name), (kind, type(None)))]
    lists = {name: provenance.get(name) or () for name in LISTS if name not in odd}
    odd += [name for name, parts in lists.items() if not all(isinstance(part, str) for part in parts)]
    if odd:
        what = f"what it records of its training is damaged ({', '.join(odd)})"
        raise CheckpointError(Problem(what, str(path), COPY_AGAIN))


def _check_origin(
    provenance: Mapping[str, Any], path: str | Path, settings: Mapping[str, Any] | None, bundle: str | None
) -> None:
    found_bundle = provenance.get("bundle", bundle)
    if bundle and found_bundle != bundle:
        what = f"it was trained by the bundle {found_bundle}, and this is {bundle}"
        raise CheckpointError(Problem(what, str(path), f"Give a checkpoint of {bundle}."))
    recorded = {name: provenance[name] for name in ("modalities",) if name in provenance}  # where 0.1.0 did
    found, expected = plain_values({**recorded, **(provenance.get("settings") or {})}), plain_values(settings or {})
    if found.get("permute_labels") != expected.get("permute_labels", False) and "permute_labels" in found:
        raise CheckpointError(_other_labels(path, bool(found["permute_labels"])))
    differing = {knob: found[knob] for knob in found if knob in expected and found[knob] != expected[knob]}
    if differing:
        knobs = " ".join(f"--{knob} {_as_typed(value)}" for knob, value in differing.items())
        here = " ".join(f"--{knob} {_as_typed(expected[knob])}" for knob in differing)
        what = f"its settings are not those of this run, {here}"
        raise CheckpointError(Problem(what, str(path), f"It was trained with {knobs}: pass the same."))


def _other_labels(path: str | Path, shuffled: bool) -> Problem:
    if shuffled:
        what = (
            "it was trained on labels that were shuffled between patients, so it predicts nothing about their disease"
        )
        hint = "Train without --permute_labels; or evaluate with --permute_labels true, to see what chance achieves."
        return Problem(what, str(path), hint)
    what = "it was trained on the true labels, and this run shuffles them"
    return Problem(what, str(path), "Leave --permute_labels out, or train with --permute_labels true as well.")


def _as_typed(value: Any) -> str:
    """A value as one word of a command line."""
    if value is None:
        return f"'{NOTHING}'"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)


def _head_shapes(weights: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {key: tuple(getattr(weight, "shape", ())) for key, weight in weights.items() if HEAD in key}


def weight_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Which weights of one state dict are missing, unknown or of another shape in another; empty where all fit."""
    missing = [f"{key} is missing" for key in expected if key not in found]
    unknown = [f"{key} is unknown" for key in found if key not in expected]
    both = [key for key in expected if key in found]
    other = [
        f"{key} is {_shown(found[key])}, not {_shown(expected[key])}"
        for key in both
        if not _fits(found[key], expected[key])
    ]
    return missing + unknown + other


def _fits(found: Any, expected: torch.Tensor) -> bool:
    """Whether a weight can be taken over: a plain tensor of the same shape and kind of numbers."""
    plain = isinstance(found, torch.Tensor) and found.layout is torch.strided
    if not plain or found.is_quantized or found.is_meta or found.shape != expected.shape:
        return False
    return bool(found.is_floating_point() == expected.is_floating_point() and not found.is_complex())


def _shown(weight: Any) -> str:
    """The shape of a tensor, or of what kind something else is."""
    if not isinstance(weight, torch.Tensor):
        return f"a {type(weight).__name__}"
    odd = weight.layout is not torch.strided or weight.is_quantized or weight.is_meta
    kind = "" if weight.is_floating_point() and not odd else f" of {str(weight.dtype).removeprefix('torch.')}"
    return f"{tuple(weight.shape)}{kind}"


def _cavity_advice(provenance: Mapping[str, Any], expected: Mapping[str, Any]) -> str | None:
    """What to do where one of checkpoint and network has a class for the resection cavity, and the other has none."""
    trained, biases = provenance.get("classes"), [shape for shape in _head_shapes(expected).values() if len(shape) == 1]
    if not trained or not biases or biases[-1] == (len(trained) + 1,):
        return None
    if len(trained) > len(MASK_CLASSES):
        here = "The segmentation takes --cavity region; elsewhere give weights without a class of the resection cavity."
        return f"It was trained with --cavity region. {here}"
    return "It has no class of the resection cavity: leave --cavity region out."


def _advice(provenance: Mapping[str, Any]) -> str:
    stage = provenance.get("stage")
    if stage in (2, 3):
        return (
            f"It was trained in stage {stage}: add configs/stage{stage}.yaml to --config_file in training, "
            f"and leave --head out elsewhere; {OTHER_ENCODER}"
        )
    if stage == 1:
        return (
            "It was trained in stage 1: leave configs/stage2.yaml and configs/stage3.yaml out of --config_file in "
            f"training, and --head elsewhere; {OTHER_ENCODER}"
        )
    return "Give a checkpoint of this bundle, or the settings that it was trained with."
