"""The tables of P3 (Sathiyamoorthy & Vaidyanathan): segmentation, survival from masks, and both combined."""

from __future__ import annotations

from collections.abc import Sequence

from common.records import MASK_CLASSES
from common.reproduction.papers import p3_figures
from common.reproduction.table_plan import Cell, Model, PaperTable
from common.tasks.segmentation import (
    AVERAGE_OF_PRINTED,
    BACKGROUND_THAT_FITS,
    OF_THREE,
    SOFT_DICE,
    STAGE_3_LOSSES,
    WITH_BACKGROUND,
)
from common.tasks.survival import EPOCHS, FROM_PREDICTED_MASKS, FROM_TRUE_MASKS, LOSSES

LEAK = (
    "The paper's split: slices of a patient are on both sides of it, and neighbouring slices of one tumour "
    "are nearly the same picture. These numbers explain the printed ones and say nothing about new patients."
)
EPOCH_ROWS = {
    "first_train_accuracy": "training, first epoch",
    "highest_train_accuracy": "training, best epoch",
    "first_val_accuracy": "validation, first epoch",
    "highest_val_accuracy": "validation, best epoch",
    "lowest_train_loss": "training, best epoch",
    "lowest_val_loss": "validation, best epoch",
}
BINS = {"short": "0 (short)", "mid": "1 (mid)", "long": "2 (long)"}
INTERVALS = "Intervals are 95 %, over patients, whatever is counted."
EMPTY = (
    "Slices are all those of a volume, empty ones too, in every column, as P3 counted; the network of our recipe has "
    "learned from slices with tumour alone."
)
TERTILES = "The bins are tertiles of survival, fitted on the training side in every column."
WAYS = {
    "all slices": "all slices",
    "slices with tumour": "image-wise (slices with tumour)",
    "majority vote, slices counted": "majority vote, slices counted",
    "majority vote, patients counted": "majority vote, patients counted",
}


DICE_ROWS = {
    **{name: name for name in MASK_CLASSES},
    OF_THREE: "whole test set, 1 - loss (mean of the three)",
    WITH_BACKGROUND: "mean of the three and the background",
}
LOSS_ROWS = {"last_train_loss": "training, last epoch of stage 3", "last_val_loss": "validation, last epoch of stage 3"}


def soft_dice(tasks: Sequence[str]) -> PaperTable:
    """Table 1: soft Dice of the three classes after all three stages of training."""
    model = Model("segmentation/three_stages", "segmentation")
    return PaperTable(
        name="p3-table1",
        title="Segmentation: soft Dice by class",
        source="P3, table 1",
        models=(model,),
        cells=(
            *(
                Cell(row, "soft Dice", model.name, f"soft_dice_{name}", SOFT_DICE.get(name))
                for name, row in DICE_ROWS.items()
            ),
            *(
                Cell(row, "loss", model.name, measure, STAGE_3_LOSSES[measure], "samples", digits=4)
                for measure, row in LOSS_ROWS.items()
            ),
        ),
        notes=(
            "P3 calls it accuracy. It is a soft Dice per slice with smoothing: a slice without tumour scores nearly 1. "
            "On the paper's split every slice counts once, as in P3; where patients are split, the slices of a patient "
            "are averaged first, then the patients. P3's recipe has all slices of a volume, ours those of the brain's "
            "box.",
            f"P3 prints .8986 for the whole test set, which by its loss would be the average of the three classes; "
            f"theirs is {AVERAGE_OF_PRINTED:.4f}, by our arithmetic. With a background of {BACKGROUND_THAT_FITS} the "
            f"four would average .8986, against the stated weights [0, 1, 1, 1]: hence the last row. The losses of "
            f".0694 and .0684 that P3 prints for validation and training (.9306 and .9316) fit neither.",
            "Losses: by the paper's recipe 1 - soft Dice, of the training steps and of the validation slices, a side "
            "of its own. Our recipe has another loss, and validates by the Dice of volumes.",
            INTERVALS,
        ),
        leak=LEAK,
        varied=("stage", "head"),
        figures=(p3_figures.EXAMPLE, p3_figures.VOXELS),
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
        printed = LOSSES["true masks"] if unit == "samples" else None
        cells.append(Cell("overall", f"loss, {counted}", model.name, "loss", printed, unit))
    for measure, row in EPOCH_ROWS.items():
        column = "loss, slices" if measure.endswith("loss") else "accuracy, slices"
        cells.append(Cell(row, column, model.name, measure, EPOCHS[measure], "samples"))
    return PaperTable(
        name="p3-table2",
        title="Survival from true masks and age",
        source=FROM_TRUE_MASKS.source,
        models=(model,),
        cells=tuple(cells),
        notes=(
            "Accuracy of a bin is the share of its slices (or patients) that are put into it. A patient's prediction "
            "is the mean probability over the slices with tumour; P3 counts slices only.",
            "Training: accuracy and loss of the steps themselves, as P3's were; 67.44 % is printed of epoch 11, "
            "65.53 % of epoch 15. By our recipe validation counts patients, slices with tumour alone, and its training "
            "loss is weighted by class.",
            EMPTY,
            TERTILES,
            INTERVALS,
        ),
        leak=LEAK,
        varied=("empty_slices",),
        figures=(p3_figures.ROC, p3_figures.CONFUSION, p3_figures.COMPONENTS),
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
        cells=(
            *(
                Cell(row, column, model.name, f"{way}: {name}", printed.get(way, {}).get(name), "samples")
                for way, column in WAYS.items()
                for name, row in rows.items()
            ),
            Cell("overall", "loss, all slices", model.name, "loss", LOSSES["predicted masks"], "samples"),
        ),
        notes=(
            "P3 scores the vote of a volume once for each of its slices, so that a large tumour weighs more than a "
            "small one; the last column counts each patient once.",
            "Masks: the segmentation bundle after its third stage (P3's custom U-Net with the deep head), or the "
            "weights of --segmentation. By the paper's recipe it segments whole slices, resized to 256 x 256 and "
            "scaled as it has learned from them. Where patients are split, it is trained on the survival network's "
            "split, so that neither was trained on a test patient; patients without a survival time are left out.",
            "P3 does not say whether the survival network reads the U-Net's soft-max or hard masks: here the most "
            "probable class of a pixel, as ones and zeros, like the true masks that it has learned from.",
            EMPTY,
            TERTILES,
            INTERVALS,
        ),
        leak=LEAK,
        varied=("segmentation", "stage", "head", "empty_slices"),
        figures=(p3_figures.SHARES,),
        confusion=True,
    )
