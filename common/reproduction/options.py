"""What the command line asks for, checked before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import KnobError, Problem
from common.knobs import is_count, plain_knob
from common.reproduction.table_plan import COLUMNS, PERMUTED, Column, PaperTable
from common.runs.settings import setting_problem, top_of

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


def check_options(table: PaperTable, options: Options, known: Collection[str]) -> None:
    """Refuse settings that would change nothing, or that the table itself sets.

    Args:
        table: that is asked for.
        options: of the command.
        known: top-level keys of the configs that its commands read.

    Raises:
        KnobError: with everything that is wrong.
    """
    found = (_setting_problem(name, table, known) for name in options.settings)
    problems = [problem for problem in found if problem]
    problems += _repeats_problems(table, options)
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


def _repeats_problems(table: PaperTable, options: Options) -> list[Problem]:
    folds = plain_knob(options.settings.get("folds", table.folds))
    if not is_count(folds):
        return [Problem("it is no whole number of 1 or more", f"--set folds={folds}", "Write --set folds=5.")]
    repeats, in_folds = options.repeats_of(table), {column.split for column in options.columns} - set(table.drawn)
    if repeats < 1 or (repeats > folds and in_folds):
        hint = f"Choose 1 to {folds}, or more folds with --set folds={max(repeats, 3)}."
        return [Problem(f"{folds} folds cannot be tested {repeats} times", f"--repeats {repeats}", hint)]
    return []


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


def _setting_problem(name: str, table: PaperTable, known: Collection[str]) -> Problem | None:
    if top_of(name) in table.varied:
        return Problem(f"{table.source} is about it, and sets it itself", f"--set {name}", "Leave it out.")
    return setting_problem(name, known, OURS)
