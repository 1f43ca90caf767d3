"""How a run begins: knobs are checked, the run folder is opened, and what was decided is written down."""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common import __version__
from common.errors import KnobError, OutputError, Problem
from common.files import write_json, write_text

TRUE_WORDS = ("true", "yes", "on", "1")
FALSE_WORDS = ("false", "no", "off", "0", "none", "null", "")
MONAI_OPTIONS = ["config_file", "meta_file", "logging_file", "bundle_root", "run_id", "init_id", "final_id", "tracking", "args_file", "workflow_type", "workflow_name", "properties_path", "net_id", "filepath", "ckpt_file", "key_in_ckpt", "use_trace", "input_shape"]
PACKAGES = ("monai", "torch", "pytorch-ignite", "nibabel", "numpy", "scikit-learn", "segmentation-models-pytorch")

logger = logging.getLogger(__name__)


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
    if not files:
        return
    known = [str(key) for key in merged_config(files)]
    problems = []
    for name in overrides:
        top = name.replace("#", "::").split("::")[0]
        if top in known or top in MONAI_OPTIONS:
            continue
        near = difflib.get_close_matches(top, known, n=3)
        mend = (
            f"Did you mean {' or '.join('--' + word for word in near)}?" if near else "docs/README.md lists the knobs."
        )
        problems.append(Problem("no config of this run defines it, so it would change nothing", f"--{name}", mend))
    if problems:
        raise KnobError(problems)


def parse_command_line(arguments: Sequence[str] | None = None) -> tuple[list[str], dict[str, Any]]:
    """The config files and the overrides (MONAI's own options left out) of a ``monai.bundle`` command line."""
    if arguments is None:
        arguments = sys.argv[1:] if "bundle" in Path(sys.argv[0]).parts else []
    given: dict[str, Any] = {}
    for position, argument in enumerate(arguments):
        if argument.startswith("--"):
            name, equals, value = argument[2:].partition("=")
            following = arguments[position + 1] if position + 1 < len(arguments) else "true"
            given[name] = yaml.safe_load(value if equals else following)
    if isinstance(given.get("args_file"), str):
        given = {**merged_config([given["args_file"]]), **given}
    files = given.get("config_file") or []
    files = [files] if isinstance(files, str) else [str(file) for file in files]
    return files, {name: value for name, value in given.items() if name not in MONAI_OPTIONS}


def merged_config(files: Sequence[str]) -> dict[str, Any]:
    """The content of config files, merged in their order as MONAI does."""
    from monai.bundle import ConfigParser

    return dict(ConfigParser.load_config_files(list(files)))


def open_run(output_dir: str | os.PathLike[str], weights: str | os.PathLike[str], resume: Any, overwrite: Any) -> None:
    """Make the run folder ready; a run that has left its weights is neither continued nor replaced unasked.

    Args:
        output_dir: the run folder.
        weights: where this run writes its best weights.
        resume: go on where an earlier run stopped.
        overwrite: start anew and replace what the earlier run left.

    Raises:
        OutputError: an earlier run is there and neither word was said.
    """
    output_dir, weights = Path(output_dir), Path(weights)
    last = last_state_path(weights)
    if int(os.environ.get("RANK", "0")) > 0:
        return
    earlier = [path for path in (last, weights) if path.exists()]
    if earlier and as_bool(overwrite, "overwrite"):
        for path in earlier:
            path.unlink()
        (output_dir / "split.json").unlink(missing_ok=True)
        shutil.rmtree(output_dir / "tensorboard", ignore_errors=True)
    elif earlier and not as_bool(resume, "resume"):
        mend = "Pass --resume true to go on with it, --overwrite true to replace it, or another --output_dir and --weights."
        raise OutputError(Problem("an earlier run has left its weights here", str(earlier[0]), mend))
    output_dir.mkdir(parents=True, exist_ok=True)


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
    if int(os.environ.get("RANK", "0")) > 0:
        return
    files, overrides = parse_command_line()
    config = merged_config(files) if files else {}
    for key, value in overrides.items():
        config[key] = value
    output_dir = Path(output_dir)
    write_text(output_dir / f"{name}_config.yaml", yaml.safe_dump(_plain(config), sort_keys=False, width=120))
    versions = {package: importlib.metadata.version(package) for package in PACKAGES}
    content = {"glioma-bundles": __version__, "python": platform.python_version(), **versions}
    write_json(output_dir / "versions.json", content)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
