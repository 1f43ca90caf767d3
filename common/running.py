"""The start of a run: knobs are checked, the run folder is opened, and the settings are recorded."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from common import __version__
from common.errors import KnobError, OutputError, Problem
from common.files import write_json, write_text
from common.knobs import as_bool, bool_or_path, check_overrides, merged_config, parse_command_line
from common.locks import hold

__all__ = [
    "as_bool",  # the configs use running.as_bool
    "bool_or_path",
    "check_overrides",
    "check_recipe",
    "end_tracking",
    "last_state_path",
    "open_run",
    "record_run",
    "seed_everything",
]

PACKAGES = ("monai", "torch", "pytorch-ignite", "nibabel", "numpy", "scikit-learn", "segmentation-models-pytorch")
RESULTS = (
    "split.json",
    "predictions.csv",
    "samples.csv",
    "mask_features.csv",
    "component_rules.csv",
    "heat_maps.npz",
    "metrics.json",
    "confusion_matrix.csv",
    "report.html",
    "history.csv",
    "cost.json",
)
"""What a run and its evaluation write into the run folder, besides the records of their settings."""


def check_recipe(recipe: str, split_by: str, arguments: Sequence[str] | None = None) -> None:
    """Refuse choices that there are not, and the paper's recipe without its overlay, which is what changes the recipe.

    The overlay of ``train.yaml`` is ``paper.yaml``, that of ``train_masks.yaml`` is ``paper_masks.yaml``.

    Args:
        recipe: how the network is trained, ``ours`` or ``paper``.
        split_by: what is split, ``patient``, or ``paper`` for what the paper split.
        arguments: as for :func:`check_overrides`.

    Raises:
        KnobError: an unknown choice, a recipe that is not that of the configs, another network's overlay, or one that
            is merged after the config of the evaluation.
    """
    from monai.bundle import ConfigParser

    from common.splits.guard import PROTOCOLS, RECIPES  # scikit-learn comes with it

    problems = [
        Problem(f"'{given}' is no choice", f"--{knob}", f"Choose {' or '.join(choices)}.")
        for knob, given, choices in (("recipe", recipe, RECIPES), ("split_by", split_by, PROTOCOLS))
        if given not in choices
    ]
    read = {file: ConfigParser.load_config_file(file) for file in parse_command_line(arguments)[0]}
    setting = {Path(file).stem: content["recipe"] for file, content in read.items() if "recipe" in content}
    overlay = next(iter(setting), "train").replace("train", "paper", 1)
    *_, last = setting or ["train"]
    if not problems and read and (recipe != setting.get(last) or (recipe == "paper" and last != overlay)):
        what = f"the recipe is the paper's with configs/{overlay}.yaml, and ours without it"
        hint = f"Add configs/{overlay}.yaml to --config_file, or leave it out. The split is --split_by."
        problems.append(Problem(what, f"--recipe {recipe}", hint))
    problems += _after_the_evaluation(read)
    if problems:
        raise KnobError(problems)


def _after_the_evaluation(read: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Configs of a training that are merged after that of the evaluation, whose handlers they would replace."""
    names = list(read)
    place = next((place for place, content in enumerate(read.values()) if "judged" in content), len(names))
    hint = "Name the configs of the evaluation last in --config_file."
    return [
        Problem(f"it is merged after {Path(names[place]).name}, whose settings it would replace", name, hint)
        for name in names[place + 1 :]
        if {"recipe", "stage"} & read[name].keys()
    ]


def open_run(
    output_dir: str | os.PathLike[str],
    weights: str | os.PathLike[str],
    resume: Any,
    overwrite: Any,
    split_file: str | os.PathLike[str] | None = None,
) -> None:
    """Prepare the run folder; an earlier run with weights is only continued or replaced on request.

    Folder and weights are held until the training has ended; see :mod:`common.locks`.

    Args:
        output_dir: the run folder.
        weights: where this run writes its best weights.
        resume: go on where an earlier run stopped.
        overwrite: start anew and replace what the earlier run left.
        split_file: the split of the run; it is not removed, even from the run folder.

    Raises:
        OutputError: an earlier run is there, and neither ``resume`` nor ``overwrite`` is true; another run is writing
            there; or the folder cannot be written to.
    """
    if _is_follower():
        return
    output_dir, weights = Path(output_dir), Path(weights)
    earlier = [path for path in (last_state_path(weights), weights) if path.exists()]
    replaced = as_bool(overwrite, "overwrite")
    if earlier and not replaced and not as_bool(resume, "resume"):
        hint = "Use --resume true to continue it, --overwrite true to replace it, or other --output_dir and --weights."
        raise OutputError(Problem("an earlier run has left its weights here", str(earlier[0]), hint))
    hold(weights, output_dir, weights)
    if replaced:
        given = Path(split_file).resolve() if split_file else None
        for path in (*earlier, *(output_dir / name for name in RESULTS)):
            if path.resolve() != given:
                path.unlink(missing_ok=True)
        shutil.rmtree(output_dir / "tensorboard", ignore_errors=True)


def end_tracking(handlers: Iterable[Any]) -> None:
    """Close the run that ``--tracking mlflow`` has opened for an evaluation.

    MONAI leaves it open, and the next training in the folder would be recorded in it.

    Args:
        handlers: of the evaluator; those of other kinds are left alone.
    """
    from monai.handlers import MLFlowHandler

    for handler in handlers:
        if isinstance(handler, MLFlowHandler):
            handler.close()


def _is_follower() -> bool:
    """Whether another process of a distributed run writes the files."""
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
    """Write the config that this process was started with and the versions of what matters into the run folder.

    The folder is held until the run has ended; see :mod:`common.locks`.

    Raises:
        OutputError: another run is writing there, or the folder cannot be written to.
    """
    if _is_follower():
        return
    output_dir = Path(output_dir)
    hold(output_dir, output_dir)
    files, overrides = parse_command_line()
    if files:
        config = _plain(merged_config(files, overrides))
        write_text(output_dir / f"{name}_config.yaml", yaml.safe_dump(config, sort_keys=False, width=120))
    write_json(output_dir / "versions.json", versions_here())


def versions_here() -> dict[str, str]:
    """The versions of this suite, Python and the packages that results depend on, by name."""
    found = {package: importlib.metadata.version(package) for package in PACKAGES}
    return {"glioma-bundles": __version__, "python": platform.python_version(), **found}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value if isinstance(value, str | int | float | bool | type(None)) else str(value)
