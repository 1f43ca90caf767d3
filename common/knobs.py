"""Settings from the command line: booleans as text, overrides that no config defines, merged configs."""

from __future__ import annotations

import ast
import difflib
import inspect
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from pydoc import locate
from typing import Any

import yaml

from common.command_line import (
    NAMES,
    NOTHING,
    UNSET,
    altered_values,
    altered_words,
    as_typed,
    fire_value,
    own_arguments,
    typed_words,
)
from common.errors import KnobError, Problem

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0", "none", "null", "")
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

CONFIG_HINT = "A config is YAML, or JSON, with a line such as `epochs: 30` for each knob."
MOST_WORDS = 300
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UserWarning, yaml.YAMLError)
"""What MONAI raises of a file that is no config, or of one that does not fit on another."""

MONAI_OPTIONS = (
    *("run_id", "init_id", "final_id", "config_file", "meta_file", "logging_file", "bundle_root", "args_file"),
    *("tracking", "workflow_type", "workflow_name", "properties_path"),
    *("net_id", "filepath", "ckpt_file", "key_in_ckpt", "use_trace", "input_shape"),
)


def as_bool(value: Any, knob: str = "value") -> bool:
    """A boolean knob, also where the command line passed it as text (``--resume false`` arrives as ``'false'``).

    Raises:
        KnobError: the value means neither.
    """
    word = str(value).strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise KnobError(Problem(f"{value!r} is neither true nor false", f"--{knob}", "Use true or false."))


def bool_or_path(value: Any) -> bool | str:
    """A knob that is true, false or a file, such as ``pretrained``."""
    word = str(value).strip().lower()
    return as_bool(word) if word in (*TRUE_WORDS, *FALSE_WORDS) else str(value)


def check_overrides(arguments: Sequence[str] | None = None) -> None:
    """Refuse overrides that no config defines, which MONAI would ignore, paths that it would alter, and what is absent.

    Args:
        arguments: a command line of ``monai.bundle``; by default this process's, if it is one.

    Raises:
        KnobError: names each unknown override and the nearest known ones; or each path that would not be as typed; each
            value that makes no sense; each path, and the device, that is not there.
    """
    arguments = own_arguments() if arguments is None else arguments
    altered = [*altered_words(arguments), *altered_values(_from_file(arguments))]
    if altered:
        raise KnobError(altered)
    files, overrides = parse_command_line(arguments)
    if files:
        config = merged_config(files)
        tracking = {**_from_file(arguments), **typed_words(arguments)}.get("tracking")
        refuse_unknown(overrides, {**tracking_settings(tracking), **config})
        refuse_senseless(overrides)
        _refuse_unset(overrides, config)
    absent = [*absent_paths(arguments), *absent_device(typed_words(arguments).get("device"))]
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


def refuse_unknown(overrides: Iterable[str], config: Mapping[str, Any]) -> None:
    """Refuse overrides of what a config does not define, nested ones (``train#trainer#max_epochs``) included.

    An argument that the config leaves at its default may be given, such as ``loss#lambda_ce``.

    Args:
        overrides: their names.
        config: merged from all files of a run.

    Raises:
        KnobError: names each unknown override and the nearest known ones.
    """
    problems = [problem for name in overrides if (problem := _unknown_knob(name, config))]
    if problems:
        raise KnobError(problems)


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


def _unknown_knob(name: str, config: Mapping[str, Any]) -> Problem | None:
    """What is wrong with the first part of an id that nothing defines; ``None`` where all parts are known."""
    node: Any = config
    outer = ""
    for part in name.replace("#", "::").split("::"):
        known = _parts_of(node)
        if known is None:
            return None
        if part not in known:
            near = [f"--{outer}{word}" for word in difflib.get_close_matches(part, known, n=3)]
            hint = f"Did you mean {' or '.join(near)}?" if near else "docs/README.md lists the knobs."
            return Problem("no config of this run defines it, so it would change nothing", f"--{name}", hint)
        node = node[int(part)] if isinstance(node, list) else node.get(part)
        outer += f"{part}#"
    return None


def _parts_of(node: Any) -> list[str] | None:
    """What may be overridden within a part of a config: keys, places, arguments; ``None`` where anything may."""
    if isinstance(node, list):
        return [str(place) for place in range(len(node))]
    if not isinstance(node, Mapping):
        return []
    keys = [str(key) for key in node]
    arguments = _arguments_of(node) if "_target_" in node else []
    return None if arguments is None else [*keys, *arguments]


def _arguments_of(component: Mapping[str, Any]) -> list[str] | None:
    """The names of a component's arguments; ``None`` where it takes any, or where they are not known."""
    from monai.bundle import ConfigComponent

    target: Any = locate(ConfigComponent(dict(component)).resolve_module_name())
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return None
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if takes_any else [*parameters, *ConfigComponent.non_arg_keys]


def parse_command_line(arguments: Sequence[str] | None = None) -> tuple[list[str], dict[str, Any]]:
    """Read the config files and the overrides (without MONAI's own options) of a ``monai.bundle`` command line.

    Names and values are read as Python Fire, which MONAI uses, reads them; ids are left as they were typed.

    Args:
        arguments: what follows ``python -m monai.bundle``; by default this process's, none if it is another program.

    Returns:
        The paths of the config files in their order, and the overrides by their names.
    """
    arguments = own_arguments() if arguments is None else arguments
    given = _from_file(arguments)
    for name, word in typed_words(arguments).items():
        value = fire_value(word)
        given[name] = as_typed(name, value, arguments) if name in NAMES else value
    files = given.get("config_file") or []
    if isinstance(files, str):
        files = [files] if Path(files).is_file() else files.split(",")
    overrides = {name: value for name, value in given.items() if name not in MONAI_OPTIONS}
    return [str(file) for file in files], overrides


def _from_file(arguments: Sequence[str]) -> dict[str, Any]:
    """What ``--args_file`` holds that the command line does not name itself."""
    words = typed_words(arguments)
    file = words.get("args_file")
    found = merged_config([file]) if isinstance(file, str) else {}
    return {name: value for name, value in found.items() if name not in words}


def merged_config(files: Sequence[str], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Merge config files as MONAI does.

    Args:
        files: their paths, in their order.
        overrides: values by ids, such as ``train#trainer#max_epochs``.

    Returns:
        The content of all files, with the overrides in it.

    Raises:
        KnobError: a file does not exist, is no YAML or JSON, or sets nothing by name.
    """
    from monai.bundle import ConfigParser

    try:
        config = _load(files)
    except UNREADABLE as error:
        alone = [problem for file in files if (problem := _config_problem(file))]
        raise KnobError(alone or Problem(_first_words(error), ", ".join(map(str, files)), CONFIG_HINT)) from error
    ConfigParser(config).update(dict(overrides or {}))
    return config


def _load(files: Sequence[str]) -> dict[str, Any]:
    """What MONAI makes of config files; a name that one of them sets twice, of which it only warns, is an error."""
    from monai.bundle import ConfigParser

    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Duplicate key")
        config: dict[str, Any] = ConfigParser.load_config_files(list(files))
    return config


def _config_problem(file: str) -> Problem | None:
    """Why MONAI cannot read a config file, ``None`` where it can."""
    try:
        _load([file])
    except AttributeError:  # of a list, a number or nothing, and of a key that is a number
        return Problem("it does not set values by names", file, CONFIG_HINT)
    except UNREADABLE as error:
        return Problem(_first_words(error, file), file, CONFIG_HINT)
    return None


def _first_words(error: Exception, file: str = "") -> str:
    """What a parser complains of, in one line; the file's name, which it repeats, may be long."""
    words = " ".join(str(error).replace(f' in "{file}",', " in").split())
    words = "its brackets are nested too deep" if isinstance(error, RecursionError) else words
    return f"the config cannot be read ({words[:MOST_WORDS]})"


def plain_knob(value: Any) -> Any:
    """``"[64, 64]"``, ``"0.3"`` and ``"none"`` become the values that they spell; any other text stays text."""
    if isinstance(value, str):
        if value.strip().lower() in ("none", "null", ""):
            return None
        try:
            return ast.literal_eval(value.strip())
        except (SyntaxError, ValueError):
            return value
    return value


def as_tuple(value: Any) -> Any:
    """A list as a tuple, nothing as an empty one, and a single value as a tuple of it."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)


def is_count(value: Any, least: int = 1) -> bool:
    """Whether it is a whole number of ``least`` or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
