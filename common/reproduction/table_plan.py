"""What a table of a paper is made of: networks that are trained and judged, and the cells that their measures fill."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TASKS = ("grade", "survival")


@dataclass(frozen=True)
class Column:
    """How the networks of a column are trained, and on what kind of split.

    Args:
        name: of the runs' folders, and on the command line.
        heading: below the paper's.
        recipe: ``ours`` or ``paper``.
        split: ``patient`` or ``paper``.
        permuted: whether the labels are shuffled between patients.
    """

    name: str
    heading: str
    recipe: str
    split: str
    permuted: bool = False


PUBLISHED = Column("paper", "paper's recipe, paper's split", "paper", "paper")
BY_PATIENT = Column("paper_by_patient", "paper's recipe, split by patient", "paper", "patient")
OURS = Column("ours", "our recipe, split by patient", "ours", "patient")
COLUMNS = (PUBLISHED, BY_PATIENT, OURS)
"""The first two differ in their split, which also trains on more where the paper kept fewer for validation and test
than the folds do; the last two in their recipe alone."""

PERMUTED = Column("permuted", "paper's recipe and split, labels shuffled", "paper", "paper", permuted=True)
"""What memory alone reaches."""


@dataclass(frozen=True)
class Model:
    """A network that is trained and judged.

    Args:
        name: of its folder, such as ``grade/vgg16``.
        recipe: of :mod:`common.reproduction.recipes`.
        settings: knobs that differ from the bundle's defaults.
        of_split: further ones of one kind of split, ``patient`` or ``paper``.
        chosen: further ones of a column, which a search has found.
        side: that it is judged on where patients are split; the paper's split has only ``test``.
        also: sides that it is judged on as well, by kind of split; their results lie in folders of their names.
    """

    name: str
    recipe: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    of_split: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    chosen: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    side: str = "test"
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def task(self) -> str:
        """``grade`` or ``survival``, or whatever its folder begins with."""
        return self.name.partition("/")[0]

    def knobs_of(self, column: Column) -> dict[str, Any]:
        """The knobs of this network in a column."""
        permuted = {"permute_labels": True} if column.permuted else {}
        own = {**self.settings, **self.of_split.get(column.split, {}), **self.chosen.get(column.name, {})}
        return {"split_by": column.split, **permuted, **own}


@dataclass(frozen=True)
class Cell:
    """One number of a table.

    Args:
        row: label of its row.
        column: label of its column.
        model: name of the network that it is measured on.
        measure: its name; :meth:`common.reproduction.evaluation.Evaluation.measure` tells which there are.
        published: what the paper printed there, if anything.
        unit: what counts as one: ``samples`` (images, slices), ``patients``, or ``split``: samples where the paper's
            split is used, as the paper counted, and patients where patients are split.
        side: one of the model's further sides; where a split does not have it, and by default, the one that the
            model is judged on.
        repeat: the split that it is read from, from 0; by default it is the mean over all of them.
        digits: after the decimal point.
        deviation: what the paper printed behind ±.
        variance: whether it is the variance over the repeats, in squared percentage points, instead of their mean.
    """

    row: str
    column: str
    model: str
    measure: str
    published: float | None = None
    unit: str = "split"
    side: str | None = None
    repeat: int | None = None
    digits: int = 3
    deviation: float | None = None
    variance: bool = False


@dataclass(frozen=True)
class Contest:
    """Two networks that are compared over the folds of a cross-validation.

    Args:
        first: name of the model, with what to call it.
        second: the same.
        measure: that they are compared by.
        side: that validates.
        published: what the paper printed for each fold, of the first and of the second, as shares of 1.
        words: sentences on the paper's own test and what is wrong with it.
    """

    first: tuple[str, str]
    second: tuple[str, str]
    measure: str
    side: str
    published: tuple[tuple[float, ...], tuple[float, ...]]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Search:
    """A search for the best option of every factor: together they make one more network, which is judged once.

    Args:
        start: that network, still without its options.
        factors: under each factor the options, each as the name of the model that tried it and its knobs.
        measure: by which the best one is chosen.
        published: what the paper printed of the chosen network.
    """

    start: Model
    factors: Mapping[str, Mapping[str, Mapping[str, Any]]]
    measure: str = "macro_f1"
    published: float | None = None


@dataclass(frozen=True)
class PaperFigure:
    """A figure of a paper, drawn from what the runs of a table have written, once for each column of that table.

    Args:
        name: as on the command line, such as ``p1-figure9``.
        title: what it shows.
        source: paper and figure.
        drawing: how, a key of :data:`common.reproduction.figures.drawings.DRAWINGS`.
        models: names of the table's networks, under what the figure calls them; none where the data set alone is drawn.
        side: one of the models' further sides, as of a :class:`Cell`.
        measures: what is drawn of each network, where the drawing can draw several.
        published: the numbers printed in it, under the labels of its rows or networks.
        notes: what a person must know to read it.
    """

    name: str
    title: str
    source: str
    drawing: str
    models: Mapping[str, str] = field(default_factory=dict)
    side: str | None = None
    measures: tuple[str, ...] = ()
    published: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PaperTable:
    """A table of a paper.

    Args:
        name: as on the command line.
        title: what it shows.
        source: paper and table.
        models: networks to train.
        cells: what is read from them.
        notes: what a person must know to read it.
        leak: what is wrong with the paper's recipe and split.
        apart: whether the paper's split keeps patients on one side, so that another split shows no leak.
        figures: that are drawn from its runs.
        of_data: the table that describes the data set, a key of :data:`common.reproduction.data_tables.DATA_TABLES`.
        repeats: how often each network is trained, on as many splits, unless the command sets another number.
        varied: knobs that the table itself sets.
        searches: whose winners are further rows.
        confusion: whether the confusion matrices are part of it.
        cohort: the kind that its task is learned from, a key of :data:`common.cohorts.reading.KINDS`.
        folds: how many the bundle has by default.
        contest: whose networks are compared over the folds.
        drawn: kinds of split of which every repeat is a new draw, so that there may be any number of them.
        healthy: whether a folder of healthy people belongs to its data.
    """

    name: str
    title: str
    source: str
    models: tuple[Model, ...]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]
    leak: str
    repeats: int = 1
    varied: tuple[str, ...] = ()
    searches: tuple[Search, ...] = ()
    confusion: bool = False
    cohort: str = "volumes"
    folds: int = 5
    contest: Contest | None = None
    drawn: tuple[str, ...] = ()
    healthy: bool = False
    apart: bool = False
    figures: tuple[PaperFigure, ...] = ()
    of_data: str = ""


def counted_as(unit: str, split: str) -> str:
    """What counts as one, ``samples`` or ``patients``; a cell with ``split`` follows the kind of split."""
    return unit if unit != "split" else {"paper": "samples", "patient": "patients"}[split]
