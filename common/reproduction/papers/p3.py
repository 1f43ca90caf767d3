"""The tables of P3 (Sathiyamoorthy & Vaidyanathan): segmentation, survival from masks, and both combined."""

from __future__ import annotations

from collections.abc import Sequence

from common.reproduction.table_plan import Cell, Model, PaperTable
from common.tasks.segmentation import SOFT_DICE
from common.tasks.survival import FROM_PREDICTED_MASKS, FROM_TRUE_MASKS

LEAK = (
    "The paper's split: slices of a patient are on both sides of it, and neighbouring slices of one tumour "
    "are nearly the same picture. These numbers explain the printed ones and say nothing about new patients."
)
BINS = {"short": "0 (short)", "mid": "1 (mid)", "long": "2 (long)"}
INTERVALS = "Intervals are 95 %, bootstrap over patients, whatever is counted."
EMPTY = (
    "Slices: the paper's recipe counts all slices of a volume, ours those with tumour, unless --set empty_slices=true "
    "is given."
)
TERTILES = "The bins are tertiles of survival, fitted on the training side in every column."
WAYS = {
    "all slices": "all slices",
    "slices with tumour": "image-wise (slices with tumour)",
    "majority vote, slices counted": "majority vote, slices counted",
    "majority vote, patients counted": "majority vote, patients counted",
}


def soft_dice(tasks: Sequence[str]) -> PaperTable:
    """Table 1: soft Dice of the three classes after all three stages of training."""
    model = Model("segmentation/three_stages", "segmentation")
    return PaperTable(
        name="p3-table1",
        title="Segmentation: soft Dice by class",
        source="P3, table 1",
        models=(model,),
        cells=tuple(
            Cell(name, "soft Dice", model.name, f"soft_dice_{name}", printed, "patients")
            for name, printed in SOFT_DICE.items()
        ),
        notes=(
            "P3 calls it accuracy. It is a soft Dice per slice with smoothing: a slice without tumour scores nearly 1. "
            "Here it is averaged over a patient's slices, then over patients.",
            "P3 also prints 0.8986 for the whole test set; its three classes average 0.8648, and the text does not say "
            "how the two belong together.",
            INTERVALS,
        ),
        leak=LEAK,
        varied=("stage", "head"),
    )


def true_masks(tasks: Sequence[str]) -> PaperTable:
    """Table 2, with the overall accuracy of section 5.2 and the areas of figure 6: survival from true masks."""
    model = Model("survival/true_masks", "survival masks")
    per_class = FROM_TRUE_MASKS.per_class
    cells = []
    for unit in ("samples", "patients"):
        counted = {"samples": "slices", "patients": "patients"}[unit]
        for name, row in BINS.items():
            for measure, column in (("recall", "accuracy"), ("auc", "AUC")):
                printed = per_class[name][measure] if unit == "samples" else None
                cells.append(Cell(row, f"{column}, {counted}", model.name, f"{measure}_{name}", printed, unit))
        printed = FROM_TRUE_MASKS.measures["accuracy"] if unit == "samples" else None
        cells.append(Cell("overall", f"accuracy, {counted}", model.name, "accuracy", printed, unit))
        cells.append(Cell("overall", f"AUC, {counted}", model.name, "auc", None, unit))
    return PaperTable(
        name="p3-table2",
        title="Survival from true masks and age",
        source=FROM_TRUE_MASKS.source,
        models=(model,),
        cells=tuple(cells),
        notes=(
            "Accuracy of a bin is the share of its slices (or patients) that are put into it. A patient's prediction "
            "is the mean probability over the slices with tumour; P3 counts slices only.",
            "P3's figure 7: bin 0, 1,287 right and 359 predicted as 2; bin 1, 319 predicted as 0 and 570 as 2; "
            "bin 2, 1,341 right and 284 predicted as 1. The other counts are not in its text.",
            EMPTY,
            TERTILES,
            INTERVALS,
        ),
        leak=LEAK,
        confusion=True,
    )


def predicted_masks(tasks: Sequence[str]) -> PaperTable:
    """Table 3, with the overall numbers of section 5.3: survival from masks that the segmentation bundle makes."""
    model = Model("survival/predicted_masks", "combined")
    rows, printed = {**BINS, "accuracy": "overall"}, FROM_PREDICTED_MASKS.votes
    return PaperTable(
        name="p3-table3",
        title="Survival from predicted masks and age: accuracy",
        source=FROM_PREDICTED_MASKS.source,
        models=(model,),
        cells=tuple(
            Cell(row, column, model.name, f"{way}: {name}", printed.get(way, {}).get(name), "samples")
            for way, column in WAYS.items()
            for name, row in rows.items()
        ),
        notes=(
            "P3 scores the vote of a volume once for each of its slices, so that a large tumour weighs more than a "
            "small one; the last column counts each patient once.",
            "Masks: stage 1 of the segmentation bundle, or the weights of --segmentation. Where patients are "
            "split, it is trained on the survival network's split, so that neither was trained on a test patient; "
            "patients without a survival time are left out of it.",
            TERTILES,
            INTERVALS,
        ),
        leak=LEAK,
        varied=("segmentation", "stage", "head"),
        confusion=True,
    )
