"""How a run begins: knobs are checked, the run folder is opened, and what was decided is written down."""

from __future__ import annotations

import difflib
import importlib.metadata
import inspect
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from pydoc import locate
from typing import Any

import yaml

from common import __version__
from common.errors import KnobError, OutputError, Problem
from common.files import write_json, write_text

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0", "none", "null", "")
MONAI_OPTIONS = (
    *("run_id", "init_id", "final_id", "config_file", "meta_file", "logging_file", "bundle_root", "args_file"),
    *("tracking", "workflow_type", "workflow_name", "properties_path"),
    *("net_id", "filepath", "ckpt_file", "key_in_ckpt", "use_trace", "input_shape"),
)
PACKAGES = ("monai", "torch", "pytorch-ignite", "nibabel", "numpy", "scikit-learn", "segmentation-models-pytorch")
RESULTS = ("split.json", "predictions.csv", "samples.csv", "metrics.json", "confusion_matrix.csv", "report.html")
"""What a run and its evaluation leave in the run folder, besides the records of their settings."""


def as_bool(value: Any, knob: str = "value") -> bool:
    """A boolean knob, also where the command line handed it over as a word (``--resume false`` arrives as ``'false'``).

    Raises:
        KnobError: the word means neither.
    """
    word = str(value).strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise KnobError(Problem(f"{value!r} is neither true nor false", f"--{knob}", "Say true or false."))


def bool_or_path(value: Any) -> bool | str:
    """A knob that is true, false or a file, such as ``pretrained``."""
    word = str(value).strip().lower()
    return as_bool(word) if word in (*TRUE_WORDS, *FALSE_WORDS) else str(value)


def check_overrides(arguments: Sequence[str] | None = None) -> None:
    """Refuse overrides on the command line that no config defines: MONAI would ignore them in silence.

    Args:
        arguments: a command line of ``monai.bundle``; by default this process's, if it is one.

    Raises:
        KnobError: names each unknown override and the nearest known ones.
    """
    files, overrides = parse_command_line(arguments)
    if files:
        refuse_unknown(overrides, merged_config(files))


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
            mend = f"Did you mean {' or '.join(near)}?" if near else "docs/README.md lists the knobs."
            return Problem("no config of this run defines it, so it would change nothing", f"--{name}", mend)
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
    """The names of a component's arguments; ``None`` where it takes any, or where they cannot be told."""
    from monai.bundle import ConfigComponent

    target: Any = locate(ConfigComponent(dict(component)).resolve_module_name())
    try:
        parameters = inspect.signature(target).parameters
    except (TypeError, ValueError):
        return None
    takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    return None if takes_any else [*parameters, *ConfigComponent.non_arg_keys]


def check_protocol_overlay(protocol: str, arguments: Sequence[str] | None = None) -> None:
    """Let the published protocol in only through its overlay, which changes more than this knob.

    The overlay of ``train.yaml`` is ``paper.yaml``, that of ``train_masks.yaml`` is ``paper_masks.yaml``.

    Args:
        protocol: of the run.
        arguments: as for :func:`check_overrides`.

    Raises:
        KnobError: an unknown protocol, or ``paper`` without the overlay.
    """
    from monai.bundle import ConfigParser

    from common.splits import check_protocol  # scikit-learn comes with it

    files, _ = parse_command_line(arguments)
    setting = [Path(file).stem for file in files if "protocol" in ConfigParser.load_config_file(file)]
    if setting:
        check_protocol(protocol, setting[-1], setting[0].replace("train", "paper", 1))
    elif files:
        check_protocol(protocol, None)


def parse_command_line(arguments: Sequence[str] | None = None) -> tuple[list[str], dict[str, Any]]:
    """The config files and the overrides (MONAI's own options left out) of a ``monai.bundle`` command line.

    Names and values are read as Python Fire, which MONAI uses, reads them.

    Args:
        arguments: what follows ``python -m monai.bundle``; by default this process's, none if it is another program.
    """
    if arguments is None:
        arguments = sys.argv[1:] if Path(sys.argv[0]).parts[-3:] == ("monai", "bundle", "__main__.py") else []
    given = _read_options(arguments)
    if isinstance(given.get("args_file"), str):
        given = {**merged_config([given["args_file"]]), **given}
    files = given.get("config_file") or []
    if isinstance(files, str):
        files = [files] if Path(files).is_file() else files.split(",")
    overrides = {name: value for name, value in given.items() if name not in MONAI_OPTIONS}
    return [str(file) for file in files], overrides


def _read_options(arguments: Sequence[str]) -> dict[str, Any]:
    """``--name value``, ``--name=value`` and a bare ``--name``, which means true."""
    from fire.parser import DefaultParseValue

    given: dict[str, Any] = {}
    for argument, following in pairwise([*arguments, "--"]):
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            bare = not equals and following.startswith("--")
            given[name.replace("-", "_")] = True if bare else DefaultParseValue(value if equals else following)
    return given


def merged_config(files: Sequence[str], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The content of config files, merged in their order as MONAI does, and overrides put in."""
    from monai.bundle import ConfigParser

    config: dict[str, Any] = ConfigParser.load_config_files(list(files))
    ConfigParser(config).update(dict(overrides or {}))
    return config


def open_run(
    output_dir: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    resume: Any,
    overwrite: Any,
    split_file: str | os.PathLike[str] | None = None,
) -> None:
    """Make the run folder ready; a run that has left its weights is neither continued nor replaced unasked.

    Args:
        output_dir: the run folder.
        weights: where this run writes its best weights.
        resume: go on where an earlier run stopped.
        overwrite: start anew and replace what the earlier run left.
        split_file: the split that the run is given; it is kept, also where it lies in the run folder.

    Raises:
        OutputError: an earlier run is there and neither word was said.
    """
    if _is_follower():
        return
    output_dir, weights = Path(output_dir), Path(weights)
    earlier = [path for path in (last_state_path(weights), weights) if path.exists()]
    if as_bool(overwrite, "overwrite"):
        given = Path(split_file).resolve() if split_file else None
        for path in (*earlier, *(output_dir / name for name in RESULTS)):
            if path.resolve() != given:
                path.unlink(missing_ok=True)
        shutil.rmtree(output_dir / "tensorboard", ignore_errors=True)
    elif earlier and not as_bool(resume, "resume"):
        mend = (
            "Say --resume true to go on with it, --overwrite true to replace it, or other --output_dir and --weights."
        )
        raise OutputError(Problem("an earlier run has left its weights here", str(earlier[0]), mend))
    output_dir.mkdir(parents=True, exist_ok=True)


def _is_follower() -> bool:
    """Whether another process of a distributed run does the writing."""
    return int(os.environ.get("RANK", "0")) > 0


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and torch before weights are drawn."""
    from ignite.utils import manual_seed

    manual_seed(seed)


def last_state_path(weights: str | os.PathLike[str]) -> Path:
    """Where the state to resume from lies: beside the best weights, ``model.pt`` → ``model_last.pt``."""
    path = Path(weights)
    return path.with_name(f"{path.stem}_last{path.suffix}")


def record_run(output_dir: str | os.PathLike[str], name: str) -> None:
    """Write the config that this process was started with and the versions of what matters into the run folder."""
    if _is_follower():
        return
    output_dir = Path(output_dir)
    files, overrides = parse_command_line()
    if files:
        config = _plain(merged_config(files, overrides))
        write_text(output_dir / f"{name}_config.yaml", yaml.safe_dump(config, sort_keys=False, width=120))
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    content = {"glioma-bundles": __version__, "python": platform.python_version(), **versions}
    write_json(output_dir / "versions.json", content)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
