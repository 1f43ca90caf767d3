"""The configs and the overrides of a ``monai.bundle`` command line."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common.command_line import NAMES, as_typed, fire_value, own_arguments, typed_words
from common.errors import KnobError, Problem

CONFIG_HINT = "A config is YAML, or JSON, with a line such as `epochs: 30` for each knob."
MOST_WORDS = 300
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UserWarning, yaml.YAMLError)
"""What MONAI raises of a file that is no config, or of one that does not fit on another."""
MONAI_OPTIONS = (
    *("run_id", "init_id", "final_id", "config_file", "meta_file", "logging_file", "bundle_root", "args_file"),
    *("tracking", "workflow_type", "workflow_name", "properties_path"),
    *("net_id", "filepath", "ckpt_file", "key_in_ckpt", "use_trace", "input_shape"),
)


def parse_command_line(arguments: Sequence[str] | None = None) -> tuple[list[str], dict[str, Any]]:
    """Read the config files and the overrides (without MONAI's own options) of a ``monai.bundle`` command line.

    Names and values are read as Python Fire, which MONAI uses, reads them; ids are left as they were typed.

    Args:
        arguments: what follows ``python -m monai.bundle``; by default this process's, none if it is another program.

    Returns:
        The paths of the config files in their order, and the overrides by their names.
    """
    arguments = own_arguments() if arguments is None else arguments
    given = values_from_file(arguments)
    for name, word in typed_words(arguments).items():
        value = fire_value(word)
        given[name] = as_typed(name, value, arguments) if name in NAMES else value
    files = given.get("config_file") or []
    if isinstance(files, str):
        files = [files] if Path(files).is_file() else files.split(",")
    overrides = {name: value for name, value in given.items() if name not in MONAI_OPTIONS}
    return [str(file) for file in files], overrides


def values_from_file(arguments: Sequence[str]) -> dict[str, Any]:
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
