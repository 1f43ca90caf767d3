"""The runs of a cross-validation: each fold is trained and judged by the bundle's own commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.commands import config_files
from common.crossvalidation.options import METHODS, Options
from common.runs.settings import take_known
from common.runs.steps import OF_TRAINING, Run, Step

WEIGHTS = "model.pt"


@dataclass(frozen=True)
class FoldRun(Run):
    """A network that is trained and judged on one fold.

    Args:
        name: as of :class:`Run`, like the next two.
        folder: likewise.
        steps: likewise.
        fold: which one, from 0.
    """

    fold: int


def plan_folds(options: Options) -> list[FoldRun]:
    """A run of each fold; the options were checked by :func:`~common.crossvalidation.options.check_options`."""
    return [_plan_fold(options, fold) for fold in range(options.folds)]


def _plan_fold(options: Options, fold: int) -> FoldRun:
    folder = options.output / f"fold-{fold}"
    steps = plan_training(options, fold, folder), plan_evaluation(options, fold, folder, folder / WEIGHTS)
    return FoldRun(folder.name, folder, steps, fold)


def plan_training(options: Options, fold: int, folder: Path, **settings: Any) -> Step:
    """The training of a fold into a folder, which takes its weights too.

    Args:
        options: of the cross-validation.
        fold: whose split it is.
        folder: that everything goes to.
        settings: further knobs, such as a ``split_file``.
    """
    files = config_files(options.bundle, options.training_configs)
    given = {**_knobs(options, fold), "output_dir": folder, "weights": folder / WEIGHTS, **settings}
    return Step("training", options.bundle, options.training_configs, take_known(given, files), options.device)


def plan_evaluation(options: Options, fold: int, folder: Path, weights: Path, **settings: Any) -> Step:
    """The evaluation of weights on the test side of a fold.

    Args:
        options: of the cross-validation.
        fold: whose split it is.
        folder: that the results go to.
        weights: to judge.
        settings: further knobs, such as another ``side``.
    """
    files = config_files(options.bundle, options.evaluation_configs)
    knobs = {name: value for name, value in _knobs(options, fold).items() if name not in OF_TRAINING}
    given = {**knobs, "output_dir": folder, "weights": weights, "side": "test", **settings}
    return Step("evaluating", options.bundle, options.evaluation_configs, take_known(given, files), options.device)


def _knobs(options: Options, fold: int) -> dict[str, Any]:
    split = {"split_by": options.split_by, "split_method": METHODS[options.scheme], "folds": options.folds}
    return {**options.data, **options.settings, **split, "fold": fold}
