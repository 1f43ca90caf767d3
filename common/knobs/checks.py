"""What is wrong with a command line, told before a run begins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.command_line import NAMES, NOTHING, UNSET, altered_values, altered_words, own_arguments, typed_words
from common.errors import KnobError, Problem
from common.knobs.configs import merged_config, parse_command_line, values_from_file
from common.knobs.unknown import refuse_unknown

READ = ("dataset_dir", "healthy_dir", "datalist", "split_file")
"""Knobs that name what a run reads."""
MANY = 10**9
WHOLE = {
    **dict.fromkeys(("epochs", "val_interval", "lr_step", "accumulation_steps"), range(1, MANY)),
    **dict.fromkeys(("batch_size", "inference_batch_size", "samples_per_epoch", "slices_per_patient"), range(1, MANY)),
    **dict.fromkeys(("num_workers", "patience"), range(MANY)),
    "seed": range(2**32),
}
"""Knobs that are whole numbers, and from where to where."""
SIDES = {"image_size": 2, "crop_size": 2, "volume_size": 3}
"""Knobs that are lists of whole numbers above 0, and how many."""


def check_overrides(arguments: Sequence[str] | None = None) -> None:
    """Refuse overrides that no config defines, which MONAI would ignore, paths that it would alter, and what is absent.

    Args:
        arguments: a command line of ``monai.bundle``; by default this process's, if it is one.

    Raises:
        KnobError: names each unknown override and the nearest known ones; or each path that would not be as typed; each
            value that makes no sense; each path, and the device, that is not there.
    """
    arguments = own_arguments() if arguments is None else arguments
    filed, typed = values_from_file(arguments), typed_words(arguments)
    altered = [*altered_words(arguments), *altered_values(filed)]
    if altered:
        raise KnobError(altered)
    files, overrides = parse_command_line(arguments)
    if files:
        config = merged_config(files)
        tracking = {**filed, **typed}.get("tracking")
        refuse_unknown(overrides, {**tracking_settings(tracking), **config})
        refuse_senseless(overrides)
        _refuse_unset(overrides, config)
    absent = [*absent_paths(arguments), *absent_device(typed.get("device"))]
    if absent:
        raise KnobError(absent)


def refuse_senseless(overrides: Mapping[str, Any]) -> None:
    """Refuse values that no run can work with, which libraries would tell deep within it, or not at all.

    Args:
        overrides: values by the names of knobs; ``None`` and expressions of a config are not looked at.

    Raises:
        KnobError: names each of them.
    """
    told = []
    for name, value in overrides.items():
        expected = None if value is None or _is_expression(value) else _expected(name, value)
        if expected:
            told.append(Problem(f"{value!r} is no choice", f"--{name}", f"Give {expected}."))
    if told:
        raise KnobError(told)


def _expected(name: str, value: Any) -> str | None:
    """What a knob should be, where its value is something else."""
    if name in WHOLE and not (_is_whole(value) and value in WHOLE[name]):
        return f"a whole number, {WHOLE[name].start} or more"
    if name == "lr" and not (isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf):
        return "a number above 0"
    if name in SIDES:
        sides = value if isinstance(value, list | tuple) else ()
        if len(sides) != SIDES[name] or not all(_is_whole(side) and side > 0 for side in sides):
            return f"{SIDES[name]} whole numbers above 0, such as [{', '.join(['96'] * SIDES[name])}]"
    if name == "modalities" and (isinstance(value, str) or len(set(value)) != len(value) or not value):
        return "a list of different modalities, such as [flair] or [flair,t1ce]"
    return None


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_expression(value: Any) -> bool:
    return isinstance(value, str) and (value.startswith(("$", "@", "%")) or value.strip().lower() in UNSET)


def tracking_settings(tracking: Any) -> dict[str, Any]:
    """What MONAI adds to a config for ``--tracking``, such as ``tracking_uri``; overrides may name it.

    Args:
        tracking: ``mlflow``, or a file of settings; nothing is added for ``None``.
    """
    from monai.bundle.utils import DEFAULT_EXP_MGMT_SETTINGS

    if tracking is None or str(tracking).lower() in UNSET:
        return {}
    if isinstance(tracking, str):
        tracking = DEFAULT_EXP_MGMT_SETTINGS.get(tracking) or merged_config([tracking])
    settings: dict[str, Any] = dict(tracking).get("configs", {})
    return settings


def absent_device(device: Any) -> list[Problem]:
    """Why nothing can be computed on a device that a command line names; an expression of a config is not looked at."""
    if not isinstance(device, str) or device.startswith(("$", "@")) or device.lower() in UNSET:
        return []
    import torch

    try:
        torch.empty(0, device=int(device) if device.isdigit() else device)
    except (RuntimeError, AssertionError):  # the latter of a PyTorch without CUDA
        there = ", ".join(["cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))])
        return [Problem(f"there is no device {device!r} on this machine", "--device", f"Choose from {there}.")]
    return []


def absent_paths(arguments: Sequence[str]) -> list[Problem]:
    """What a command line reads and is not there; told before networks are built."""
    given = typed_words(arguments)
    paths = {knob: str(given[knob]) for knob in READ if isinstance(given.get(knob), str)}
    return [
        Problem(
            f"there is no such {'folder' if knob.endswith('_dir') else 'file'}", f"--{knob} {path}", "Check the path."
        )
        for knob, path in paths.items()
        if path.lower() not in (*UNSET, NOTHING.lower()) and not Path(path.strip("'\"")).expanduser().exists()
    ]


def _refuse_unset(overrides: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Refuse to unset a value by a word that MONAI drops (``None``) or takes for a text (``null``)."""
    problems = []
    for name, value in overrides.items():
        default = config.get(name)
        dropped = value is None and default is not None
        takes_words = isinstance(default, str | bool) or name in (*READ, *NAMES)
        if dropped or (value is not None and not takes_words and str(value).lower() in UNSET):
            what = f"{value!r} does not unset it: MONAI would keep {default}, or take the word for a text"
            problems.append(Problem(what, f"--{name}", f"Write --{name} '{NOTHING}'."))
    if problems:
        raise KnobError(problems)
