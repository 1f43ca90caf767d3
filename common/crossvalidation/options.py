"""What is cross-validated, on what and how, checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from common.commands import config_files
from common.errors import KnobError, Problem
from common.runs.settings import known_keys, setting_problem
from common.runs.steps import paper_overlay

K_FOLD, MONTE_CARLO = "kfold", "montecarlo"
METHODS = {K_FOLD: "k_fold", MONTE_CARLO: "monte_carlo"}
"""Each scheme as the knob ``split_method`` calls it."""

FEWEST = {K_FOLD: 3, MONTE_CARLO: 2}
DATA = ("dataset_dir", "datalist", "healthy_dir")
OWN = {
    **{knob: f"--{knob}" for knob in (*DATA, "device", "recipe", "split_by", "folds")},
    "split_method": "--scheme",
    **dict.fromkeys(("output_dir", "weights", "checkpoint"), "--output"),
    **dict.fromkeys(("bundle_root", "fold", "side", "resume", "overwrite", "split_file", "init_weights"), ""),
    **dict.fromkeys(("allow_trained_on", "learnt"), ""),
}
"""Knobs that this command sets itself, and the option that takes their place."""

SPLITTING = dict.fromkeys(("seed", "train_share", "exclude"), "--set")
"""Knobs that decide the split: candidates are compared on one."""


@dataclass(frozen=True)
class Options:
    """A cross-validation.

    Args:
        bundle: its folder.
        output: folder of the folds and the results.
        data: what was given of :data:`DATA`.
        scheme: ``kfold``: every patient is tested once; ``montecarlo``: repeated random splits.
        folds: how many, or how many repeats.
        config: of the training.
        recipe: ``ours`` or ``paper``.
        split_by: ``patient``, or ``paper`` for what the paper split.
        settings: knobs for every command whose config has them, as they are typed.
        device: where to compute; ``None`` for the bundle's choice.
        search: values of knobs, of which the best are chosen anew for each fold.
        inner_folds: how many folds validate each candidate in turn; 1 for the one that validates in the fold's split.
    """

    bundle: Path
    output: Path
    data: Mapping[str, Path]
    scheme: str = K_FOLD
    folds: int = 5
    config: str = "train"
    recipe: str = "ours"
    split_by: str = "patient"
    settings: Mapping[str, str] = field(default_factory=dict)
    device: str | None = None
    search: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    inner_folds: int = 1

    @property
    def training_configs(self) -> tuple[str, ...]:
        """Of the training, in the order in which they are merged."""
        return (self.config, *([paper_overlay(self.config)] if self.recipe == "paper" else []))

    @property
    def evaluation_configs(self) -> tuple[str, ...]:
        """Of the evaluation, in the order in which they are merged."""
        return (*self.training_configs, "evaluate")


def check_options(options: Options) -> None:
    """Refuse what cannot be cross-validated, and settings that would change nothing.

    Raises:
        KnobError: with everything that is wrong.
    """
    absent = _absent_configs(options)
    if absent:
        raise KnobError(absent)
    known = known_keys(config_files(options.bundle, options.evaluation_configs))
    problems = [*_data_problems(options, known), *_scheme_problems(options)]
    problems += [problem for name in options.settings if (problem := setting_problem(name, known, OWN))]
    problems += _search_problems(options, known)
    if problems:
        raise KnobError(problems)


def _absent_configs(options: Options) -> list[Problem]:
    files = config_files(options.bundle, options.evaluation_configs)
    hints = {options.config: "Correct --config.", paper_overlay(options.config): "Use --recipe ours."}
    return [
        Problem("this bundle has no such config", path, hints.get(path.stem, "Take a bundle of this repository."))
        for path in files
        if not path.is_file()
    ]


def _data_problems(options: Options, known: Collection[str]) -> list[Problem]:
    problems = []
    if not options.data.keys() & {"dataset_dir", "datalist"}:
        problems.append(Problem("no data set is given", "the command", "Give --dataset_dir or --datalist."))
    for knob, path in options.data.items():
        if knob not in known:
            problems.append(Problem("this bundle reads none", f"--{knob} {path}", "Leave it out."))
    return problems


def _scheme_problems(options: Options) -> list[Problem]:
    problems, fewest = [], FEWEST[options.scheme]
    if options.folds < fewest:
        what = f"{options.folds} are no cross-validation" + (
            ": one fold is tested, the next one validates" if options.scheme == K_FOLD else ""
        )
        problems.append(Problem(what, "--folds", f"Give {fewest} or more."))
    if options.scheme == K_FOLD and options.split_by == "paper" and not _paper_has_folds(options):
        what = "the paper's split of this bundle is drawn at random for every repeat, and has no folds"
        problems.append(Problem(what, "--scheme kfold --split_by paper", "Use --scheme montecarlo."))
    return problems


def _search_problems(options: Options, known: Collection[str]) -> list[Problem]:
    problems = []
    for name, values in options.search.items():
        where = f"--search {name}={','.join(values)}"
        found = setting_problem(name, known, OWN | SPLITTING)
        problems += [replace(found, where=where)] if found else []
        if name in options.settings:
            problems.append(Problem("--set gives this knob a value", where, "Leave one of them out."))
        if len(set(values)) < max(len(values), 2):
            problems.append(Problem("there is nothing to choose from", where, "Give different values: name=a,b."))
    most = options.folds - 1 if options.scheme == K_FOLD and options.search else 1
    if not 1 <= options.inner_folds <= most:
        what = "the folds that a fold does not test validate in turn"
        hint = f"Give 1 to {most}." if most > 1 else "It needs --search and --scheme kfold."
        problems.append(Problem(what, f"--inner_folds {options.inner_folds}", hint))
    return problems


def _paper_has_folds(options: Options) -> bool:
    """Whether the paper splits subjects, by whatever method the command names."""
    content: Mapping[str, Any] = {}
    for path in config_files(options.bundle, options.training_configs):
        content = {**content, **yaml.safe_load(path.read_text(encoding="utf-8"))}
    split = content.get("paper_split") or {}
    return split.get("unit") == "subject" and "method" not in split
