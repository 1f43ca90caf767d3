"""The files that the evaluation of a run has written, as measures with 95 % intervals over patients."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from common.formats.spreadsheets import read_frame
from common.metrics.intervals.bootstrap import Summary, divide, measure_drawn, summarise_draws
from common.metrics.intervals.left_out import summarise_right
from common.metrics.judgement import probabilities_of, summarise_judgement, truth_of
from common.metrics.measures import OF_A_CLASS
from common.metrics.patient_predictions import most_probable, ways_of_counting
from common.tasks.published import short_name

COST = "cost.json"
""":class:`common.handlers.TrainingCost` leaves it."""

HISTORY = "history.csv"
""":class:`common.handlers.TrainingHistory` leaves it."""

SMALLEST = 1e-12
"""Probability whose logarithm is taken where a true class has less."""

LOSS, SECONDS = "loss", "training_seconds"
OF_SUBGROUP, OF_SOFT_DICE = "subgroup_", "soft_dice_"
OF_EPOCHS: Mapping[str, Callable[[pd.Series], float]] = {
    "first": lambda values: values.iloc[0],
    "last": lambda values: values.iloc[-1],
    "highest": pd.Series.max,
    "lowest": pd.Series.min,
}
"""Beginnings of the names of measures; :meth:`Evaluation.measure` tells what they mean."""

LIKELIHOOD, VALIDATION_DICE = "val_log_likelihood", "val_soft_dice"


class Evaluation:
    """The results in a run folder. Classes go by their short names, as in the papers.

    Args:
        folder: with ``metrics.json`` and the tables beside it.
        repeat: which split it is, from 0.
        trained: the folder of the training, where it is another.
    """

    def __init__(self, folder: Path, repeat: int = 0, trained: Path | None = None) -> None:
        self.folder, self.repeat, self.trained = folder, repeat, trained or folder
        self.facts: dict[str, Any] = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))

    def measure(self, name: str, unit: str) -> Summary | None:
        """A measure by its name, ``None`` where this evaluation has no such thing.

        The cells, figures and searches of the papers name their measures in one of these ways:

        - ``macro_f1``, ``recall_short``: a measure of all classes or of one, as ``metrics.json`` calls it;
        - ``loss``: the mean cross-entropy;
        - ``all slices: accuracy``, ``all slices: short``: the share that is right, of all and of a class, in a way of
          counting of :func:`~common.metrics.patient_predictions.ways_of_counting`;
        - ``subgroup_auc``: a measure of the tumours on their own, without healthy people;
        - ``soft_dice_NCR``: of a class of a segmentation;
        - ``cost_parameters``: a value of ``cost.json``, what a step of training took;
        - ``first_train_accuracy``: a column of ``history.csv``, here ``train_accuracy``, in the first epoch; so are
          ``last_…``, ``highest_…`` and ``lowest_…``;
        - ``training_seconds``: of all epochs.

        Args:
            name: of the measure.
            unit: what counts as one, ``samples`` or ``patients``.
        """
        beginning, _, rest = name.partition("_")
        by_sample = unit == "samples"
        if name == LOSS:
            return self._loss(self.samples if by_sample else self.patients)
        if name == SECONDS:
            return _single(None if self.history.empty else float(self.history["seconds"].sum()))
        if ": " in name:
            return self.votes.get(name)
        if name.startswith(OF_SUBGROUP):
            return _stored((self.facts.get("subgroup") or {"measures": {}})["measures"], rest)
        if name.startswith(OF_SOFT_DICE):
            counted = "soft_dice_over_slices" if by_sample else "soft_dice"
            return _stored(self.facts.get(counted, {}), name.removeprefix(OF_SOFT_DICE))
        if beginning == "cost":
            return _single(self.cost.get(rest))
        if beginning in OF_EPOCHS:
            return self._of_epochs(rest, OF_EPOCHS[beginning])
        return (self.of_samples if by_sample else self.of_patients).get(name)

    def _of_epochs(self, column: str, choose: Callable[[pd.Series], float]) -> Summary | None:
        values = self.history.get(column, pd.Series(dtype=float)).dropna()  # an epoch may be without validation
        return None if values.empty else _single(float(choose(values)))

    def _loss(self, rows: pd.DataFrame) -> Summary:
        """The mean cross-entropy, with its interval over subjects."""
        shares = probabilities_of(rows, self.classes)[np.arange(len(rows)), truth_of(rows, self.classes)]
        losses, subjects = -np.log(np.maximum(shares, SMALLEST)), rows["subject"]
        drawn = measure_drawn(lambda counts: {LOSS: divide(counts @ losses, counts.sum(axis=1))}, subjects)
        return summarise_draws(float(losses.mean()), drawn[LOSS], subjects.nunique())

    def of_side(self, side: str | None) -> Evaluation:
        """What the same weights did on another side; this one where they were not judged on it."""
        folder = self.folder / str(side)
        return Evaluation(folder, self.repeat, self.trained) if side and folder.is_dir() else self

    def confusion(self, unit: str) -> pd.DataFrame:
        """The confusion matrix.

        Args:
            unit: what counts as one, ``samples`` or ``patients``.

        Returns:
            Counts; one row per true class, one column per predicted class.
        """
        rows = self.samples if unit == "samples" else self.patients
        counts = confusion_matrix(rows["truth"], most_probable(rows, self.classes), labels=list(self.classes))
        names = [short_name(name) for name in self.classes]
        return pd.DataFrame(counts, index=names, columns=[f"predicted {name}" for name in names])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes.

        Returns:
            In the order of the labels.
        """
        return tuple(self.facts["classes"])

    @cached_property
    def of_patients(self) -> dict[str, Summary]:
        """The measures of the patients' predictions.

        Returns:
            A summary under each measure's name.
        """
        found = dict(self.facts["measures"])
        by_class = self.facts["per_class"]
        found |= {
            f"{key}_{name}": by_class[name][key]
            for name in self.classes
            for key in (measure.name for measure in OF_A_CLASS)
            if key in by_class[name]
        }
        return {self._short(name): _numbers(values) for name, values in found.items()}

    @cached_property
    def of_samples(self) -> dict[str, Summary]:
        """The measures of single images or slices, with intervals over patients.

        Returns:
            A summary under each measure's name.
        """
        measured = summarise_judgement(self.samples, self.classes)
        return {self._short(name): values for name, values in measured.items()}

    @cached_property
    def votes(self) -> dict[str, Summary]:
        """The accuracies in the ways of counting of :func:`common.metrics.vote_table`.

        Returns:
            A summary under ``<way>: accuracy`` and ``<way>: <class>``.
        """
        found = {}
        for way, counted in ways_of_counting(self.samples, self.patients, self.classes).items():
            right, subjects = (counted["truth"] == counted["answer"]).to_numpy(), counted["subject"]
            found[f"{way}: accuracy"] = summarise_right(subjects, right)
            for name in self.classes:
                of_class = (counted["truth"] == name).to_numpy()
                found[f"{way}: {short_name(name)}"] = summarise_right(subjects[of_class], right[of_class])
        return found

    @cached_property
    def cost(self) -> dict[str, Any]:
        """What a training step cost.

        Returns:
            The content of ``cost.json``; empty where it was not measured.
        """
        path = self.folder / COST
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}

    @cached_property
    def history(self) -> pd.DataFrame:
        """``history.csv`` of the training; where it had several stages, of all of them one after another.

        ``val_loss`` is the negative of the log-likelihood, or 1 - soft Dice, where validation was by one of them.

        Returns:
            One row per epoch; empty where nothing was recorded.
        """
        own = self.trained / HISTORY
        stages = [
            read_frame(path) for path in ([own] if own.is_file() else sorted(self.trained.glob(f"stage*/{HISTORY}")))
        ]
        table = pd.concat(stages, ignore_index=True) if stages else pd.DataFrame({"epoch": []})
        if LIKELIHOOD in table:
            table = table.assign(val_loss=-table[LIKELIHOOD])
        if VALIDATION_DICE in table:
            table = table.assign(val_loss=1 - table[VALIDATION_DICE])
        return table.assign(epoch=range(1, len(table) + 1))

    @cached_property
    def copies(self) -> dict[str, str]:
        """The group of copies of each image, from ``copies.csv``; empty where copies were not looked for."""
        path = self.folder / "copies.csv"
        table = read_frame(path) if path.is_file() else pd.DataFrame(columns=["subject", "group"])
        return dict(zip(table["subject"].astype(str), table["group"].astype(str), strict=True))

    @cached_property
    def patients(self) -> pd.DataFrame:
        """``predictions.csv``.

        Returns:
            One row per patient, or per scan.
        """
        return read_frame(self.folder / "predictions.csv")

    @cached_property
    def mask_features(self) -> pd.DataFrame | None:
        """``mask_features.csv``.

        Returns:
            One row per slice; ``None`` where the network does not read masks.
        """
        path = self.folder / "mask_features.csv"
        return read_frame(path) if path.is_file() else None

    @property
    def has_samples(self) -> bool:
        """Whether a patient can have several samples, which are then in ``samples.csv``."""
        return (self.folder / "samples.csv").is_file()

    @cached_property
    def samples(self) -> pd.DataFrame:
        """``samples.csv``; the patients where each has a single sample.

        Returns:
            One row per image or slice.
        """
        return read_frame(self.folder / "samples.csv") if self.has_samples else self.patients

    def _short(self, measure: str) -> str:
        """``recall_short`` of ``recall_short (under 266 days)``."""
        return short_name(measure)


def sum_confusions(found: Sequence[Evaluation], counted: str) -> pd.DataFrame:
    """The confusion matrices of all repeats, added up.

    Args:
        found: one evaluation per repeat.
        counted: what counts as one, ``samples`` or ``patients``.

    Returns:
        Counts; one row per true class, one column per predicted class.
    """
    first, *others = (evaluation.confusion(counted) for evaluation in found)
    for other in others:
        first = first + other
    return first.rename_axis("truth").reset_index()


def _single(value: float | None) -> Summary | None:
    """A number without an interval."""
    return None if value is None else {"mean": value, "low": math.nan, "high": math.nan, "n": 1}


def _stored(found: Mapping[str, Any], name: str) -> Summary | None:
    return _numbers(found[name]) if found.get(name) is not None else None


def _numbers(values: Mapping[str, Any]) -> Summary:
    """A summary read from JSON, which stores NaN as null."""
    return {key: float("nan") if values.get(key) is None else values[key] for key in ("mean", "low", "high", "n")}
