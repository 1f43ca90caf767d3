"""What the command line asks for, checked before anything runs."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from common.errors import KnobError, Problem
from common.reproduction.table_plan import COLUMNS, PERMUTED, Column, PaperTable

OURS = {
    "dataset_dir": "--dataset_dir",
    "healthy_dir": "--healthy_dir",
    "output_dir": "--output",
    "weights": "--output",
    "checkpoint": "--output",
    "bundle_root": "",
    "recipe": "--columns",
    "split_by": "--columns",
    "permute_labels": "--permute_labels",
    "side": "",
    "device": "--device",
    "fold": "--repeats",
    "resume": "",
    "overwrite": "",
    "split_file": "",
    "init_weights": "",
}
"""Knobs that this command sets itself, and the option that takes their place."""


@dataclass(frozen=True)
class Options:
    """What is reproduced, on what, and how it differs from the papers.

    Args:
        dataset_dir: the data set's folder as downloaded.
        output: folder of the runs and of the table.
        bundles: the folder that holds the bundles.
        columns: of :data:`COLUMNS`, perhaps with :data:`PERMUTED`.
        repeats: of each training, on as many splits; ``None`` for the table's own.
        settings: knobs for every command whose config has them, as they are typed.
        pretrained_dir: folder with one file of pre-trained weights per backbone.
        segmentation: weights of the segmentation bundle, in place of training some.
        device: where to compute; ``None`` for the bundles' choice.
        healthy_dir: folder of healthy people, for the tables that have some.
    """

    dataset_dir: Path
    output: Path
    bundles: Path
    columns: tuple[Column, ...] = COLUMNS
    repeats: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    pretrained_dir: Path | None = None
    segmentation: Path | None = None
    device: str | None = None
    healthy_dir: Path | None = None

    def repeats_of(self, table: PaperTable) -> int:
        """How often each network of a table is trained."""
        return table.repeats if self.repeats is None else self.repeats


def read_settings(words: Iterable[str]) -> dict[str, str]:
    """``name=value`` words as a mapping.

    Args:
        words: as they are typed.

    Returns:
        The value, as text, under each name.

    Raises:
        KnobError: names every word without an equals sign, and every knob given twice.
    """
    settings: dict[str, str] = {}
    problems = []
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals):
            problems.append(Problem("it is no name=value", f"--set {word}", "Write it as in --set epochs=1."))
        elif name in settings:
            problems.append(Problem("it is given twice", f"--set {word}", "Leave one out."))
        settings[name] = value
    if problems:
        raise KnobError(problems)
    return settings


def check_options(table: PaperTable, options: Options, known: Collection[str]) -> None:
    """Refuse settings that would change nothing, or that the table itself sets.

    Args:
        table: that is asked for.
        options: of the command.
        known: top-level keys of the configs that its commands read.

    Raises:
        KnobError: with everything that is wrong.
    """
    problems = [problem for name in options.settings for problem in _setting_problems(name, table, known)]
    in_folds = {column.split for column in options.columns} - set(table.drawn)
    folds = int(options.settings.get("folds", table.folds))
    repeats = options.repeats_of(table)
    if repeats < 1 or (repeats > folds and in_folds):
        hint = f"Choose 1 to {folds}, or more folds with --set folds={max(repeats, 3)}."
        problems.append(Problem(f"{folds} folds cannot be tested {repeats} times", f"--repeats {repeats}", hint))
    if PERMUTED in options.columns and "permute_labels" not in known:
        problems.append(Problem(f"{table.source} has no labels to shuffle", "--permute_labels", "Leave it out."))
    if options.segmentation and "segmentation" not in table.varied:
        problems.append(Problem(f"{table.source} needs no segmentation", "--segmentation", "Leave it out."))
    if options.healthy_dir and not table.healthy:
        problems.append(Problem(f"{table.source} has no healthy people", "--healthy_dir", "Leave it out."))
    for knob in ("pretrained_dir", "segmentation", "healthy_dir"):
        path = getattr(options, knob)
        if path is not None and not path.exists():
            problems.append(Problem("it does not exist", f"--{knob} {path}", "Correct the path."))
    if problems:
        raise KnobError(problems)


def check_rows(table: PaperTable, rows: Collection[str]) -> None:
    """Refuse names of models that the table does not have.

    Raises:
        KnobError: names each of them.
    """
    known = [model.name for model in (*table.models, *(search.start for search in table.searches))]
    unknown = [name for name in rows if name not in known]
    if unknown:
        hint = f"Its rows are {', '.join(known)}."
        raise KnobError([Problem(f"{table.source} has no such row", f"--rows {name}", hint) for name in unknown])


def _setting_problems(name: str, table: PaperTable, known: Collection[str]) -> list[Problem]:
    top = top_of(name)
    where = f"--set {name}"
    if top in OURS:
        instead = f"Use {OURS[top]} instead." if OURS[top] else "Leave it out."
        return [Problem("this command sets it itself", where, instead)]
    if top in table.varied:
        return [Problem(f"{table.source} is about it, and sets it itself", where, "Leave it out.")]
    if top not in known:
        near = [f"--set {word}" for word in difflib.get_close_matches(top, sorted(known), n=3)]
        hint = f"Did you mean {' or '.join(near)}?" if near else "The bundles' docs/README.md list the knobs."
        return [Problem("no config of this table defines it, so it would change nothing", where, hint)]
    return []


def top_of(name: str) -> str:
    """The top-level key of a setting: ``train`` of ``train#trainer#max_epochs``."""
    return name.replace("::", "#").partition("#")[0]


def take_known(settings: Mapping[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    """Those settings that the config files define.

    Args:
        settings: by name.
        files: configs.

    Returns:
        The settings whose top-level key one of the files has.
    """
    known = known_keys(tuple(files))
    return {name: value for name, value in settings.items() if top_of(name) in known}


@cache
def known_keys(files: tuple[Path, ...]) -> frozenset[str]:
    """The top-level keys of config files."""
    found = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    return frozenset(top_of(str(key)) for content in found for key in content)
