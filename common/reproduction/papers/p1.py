"""The tables of P1 (Valbuena Rubio et al.): grade and survival from three slices.

Every network is DenseNet121 unless the table varies it, with the head of section 3.1 (tables 2 and 3) or the best one
of section 3.2 (tables 4 to 6). The rest of P1's recipe is in the bundles' ``paper.yaml``, that of ours in
``train.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common.reproduction.papers.p1_choices import BACKBONES, BEST_HEAD, FIRST_HEAD, HEAD_SEARCH, TRAIN_SHARES
from common.reproduction.papers.p1_figures import (
    GRADE_COMPARED,
    GRADE_CONFUSION,
    OF_IMAGES,
    SURVIVAL_COMPARED,
    SURVIVAL_CONFUSION,
)
from common.reproduction.table_plan import Cell, Model, PaperFigure, PaperTable, Search
from common.tasks import grade, survival
from common.tasks.published import Published

LEAK = (
    "The paper's split: the four modalities of a patient are images of their own and are on both sides of the split. "
    "The paper's recipe: age and survival of the LGG patients are invented, so that a long survivor is an LGG patient, "
    "also where patients are split. These numbers explain the printed ones and say nothing about new patients."
)
COUNTED = (
    "On the paper's split an image is counted as one, as P1 did; where patients are split, a patient. "
    "Intervals are 95 %, over patients, in every column."
)
DEFAULTS = (
    "Our recipe is that of the bundles' train.yaml: all modalities of a patient at once, grade without clinical "
    "values, the whole network trained from random weights. Only the settings that the table is about are the paper's."
)
CLASSES = (
    "Survival: P1's classes are 1 and 5 years, and all who lived longer are invented; those of our recipe are tertiles "
    "of the recorded survival of the training patients."
)
CUT = 0.1
"""Share of the training images that validates in the paper's split; P1 states none."""


def characteristics(tasks: Sequence[str]) -> PaperTable:
    """Table 1: what is known about the patients; and the figures of a patient's images."""
    return PaperTable(
        name="p1-table1",
        title="Clinical characteristics of LGG and HGG patients",
        source="P1, table 1",
        models=(),
        cells=(),
        notes=(
            "BraTS records no age, survival time or resection of an LGG patient and no WHO grade of anybody: the LGG "
            "means of P1's table come from elsewhere. They are not those of its own rule either, which draws ages "
            "around the mean of the HGG patients (61.2 years in the tables of BraTS 2020, where it prints 56.5 for "
            "HGG). P1 names no source of table 1.",
        ),
        leak=LEAK,
        figures=OF_IMAGES,
        of_data="clinical characteristics",
    )


def backbones(tasks: Sequence[str]) -> PaperTable:
    """Table 2: eight backbones below the same head."""
    return PaperTable(
        name="p1-table2",
        title="Eight backbones: macro F1",
        source="P1, table 2",
        models=tuple(_model(task, name, {**FIRST_HEAD, "backbone": name}) for name in BACKBONES for task in tasks),
        cells=tuple(
            Cell(name, f"{task} macro F1", f"{task}/{name}", "macro_f1", printed[task])
            for task in tasks
            for name, printed in BACKBONES.items()
        ),
        notes=(
            "Head of section 3.1: 256 and 512 units, batch normalisation after the first, dropout 0.5, learning rate "
            "0.0002. P1 calls the table accuracy; its columns say macro F1.",
            *_notes(tasks),
        ),
        leak=LEAK,
        varied=("backbone",),
    )


def head_search(tasks: Sequence[str]) -> PaperTable:
    """Table 3: one factor of the head at a time; the best options together are judged once."""
    models: dict[str, Model] = {}
    cells = []
    for task in tasks:
        for factor, options in HEAD_SEARCH.items():
            for label, knobs, printed in options:
                model = _candidate(task, knobs)
                models[model.name] = model
                cells.append(Cell(f"{factor}: {label}", f"{task} macro F1", model.name, "macro_f1", printed[task]))
    return PaperTable(
        name="p1-table3",
        title="One factor of the head at a time, on DenseNet121: macro F1",
        source="P1, table 3",
        models=tuple(models.values()),
        cells=tuple(cells),
        notes=(
            "P1 chose each option on the test images. Where patients are split, the options are compared on the "
            "validation patients, a column of its own: it is optimistic, since the epoch was chosen there too. The "
            "best options together are then judged once on the test patients (last row).",
            "P1 says that all other settings stay at their default; its printed numbers (0.97 and 0.60 come back in "
            "every later block) look as if each factor went on from the best of the one before. Here the others are "
            "those of section 3.1. Last row printed: tables 5 and 6, made with 2 layers of batch normalisation for "
            "survival although the table has 0 as best.",
            *_notes(tasks),
        ),
        leak=LEAK,
        varied=tuple(FIRST_HEAD),
        searches=tuple(_search(task) for task in tasks),
    )


def train_shares(tasks: Sequence[str]) -> PaperTable:
    """Table 4: Monte-Carlo cross-validation with ever fewer images to train on."""
    measures = ("precision", "recall", "f1")
    return PaperTable(
        name="p1-table4",
        title="Share of the data to train on, by Monte-Carlo cross-validation",
        source="P1, table 4",
        models=tuple(_share(task, share) for share in TRAIN_SHARES for task in tasks),
        cells=tuple(
            Cell(f"{share:.0%} {task}", measure, f"{task}/{round(100 * share)}", f"macro_{measure}", value)
            for share, printed in TRAIN_SHARES.items()
            for task in tasks
            for measure, value in zip(measures, printed[task], strict=True)
        ),
        notes=(
            "Means over the repeats with their standard deviation; repeats share patients, so it is no standard error. "
            "Precision, recall and F1 are macro averages, which P1 does not state.",
            "The validation side is taken from the training share: a tenth of it in the paper's split, a tenth of all "
            "patients where they are split. P1 states neither.",
            *_notes(tasks),
        ),
        leak=LEAK,
        repeats=10,
        drawn=("paper", "patient"),
        varied=("split_method", "folds", "train_share", "paper_split", *FIRST_HEAD),
    )


def final_grade(tasks: Sequence[str]) -> PaperTable:
    """Table 5: the best grade network by class."""
    return _final("p1-table5", "The final grade network", "grade", grade.TABLE_5, (GRADE_CONFUSION, GRADE_COMPARED))


def final_survival(tasks: Sequence[str]) -> PaperTable:
    """Table 6: the best survival network by class."""
    figures = (SURVIVAL_CONFUSION, SURVIVAL_COMPARED)
    return _final("p1-table6", "The final survival network", "survival", survival.FROM_IMAGES, figures)


def _final(name: str, title: str, task: str, printed: Published, figures: tuple[PaperFigure, ...]) -> PaperTable:
    model = _model(task, "final", BEST_HEAD[task])
    by_class = [
        Cell(kind, measure, model.name, f"{measure}_{kind}", value)
        for kind, measures in printed.per_class.items()
        for measure, value in measures.items()
    ]
    overall = [
        Cell("macro average", measure.removeprefix("macro_"), model.name, measure, printed.measures[measure])
        for measure in ("macro_precision", "macro_recall", "macro_f1", "accuracy")
    ]
    return PaperTable(
        name=name,
        title=title,
        source=printed.source,
        models=(model,),
        cells=(*by_class, *overall),
        notes=_notes([task]),
        leak=LEAK,
        varied=tuple(BEST_HEAD[task]),
        confusion=True,
        figures=figures,
    )


def _model(task: str, name: str, settings: Mapping[str, Any], **others: Any) -> Model:
    return Model(f"{task}/{name}", f"{task} slices", settings, **others)


def _candidate(task: str, knobs: Mapping[str, Any]) -> Model:
    """A head that differs from the first in one factor; the first head itself goes by one name in all factors."""
    (knob, value), *_ = knobs.items()
    is_first = FIRST_HEAD[knob] == value
    text = "-".join(str(part) for part in value) if isinstance(value, list) else str(value)
    name = "first_head" if is_first else f"{knob}_{text}"
    return _model(task, name, {**FIRST_HEAD, **knobs}, side="validation")


def _search(task: str) -> Search:
    factors = {
        factor: {_candidate(task, knobs).name: knobs for _, knobs, _ in options}
        for factor, options in HEAD_SEARCH.items()
    }
    printed = {"grade": grade.TABLE_5, "survival": survival.FROM_IMAGES}[task].measures["macro_f1"]
    return Search(_model(task, "chosen", FIRST_HEAD), factors, published=printed)


def _share(task: str, share: float) -> Model:
    validation = round(CUT * share, 4)
    of_split = {
        "patient": {"split_method": "monte_carlo", "train_share": share},
        "paper": {"paper_split#shares": [round(share - validation, 4), validation, round(1 - share, 4)]},
    }
    return _model(task, f"{round(100 * share)}", BEST_HEAD[task], of_split=of_split)


def _notes(tasks: Sequence[str]) -> tuple[str, ...]:
    return (COUNTED, DEFAULTS, CLASSES) if "survival" in tasks else (COUNTED, DEFAULTS)
