"""The tables of P2 (Jardim et al.): tumour or none on Br35H, network A from scratch and B on a frozen backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.reproduction.papers.p2_figures import BARS, CURVES_OF_A, CURVES_OF_B, HEAT_MAPS, NETS, PRINTED, ROC
from common.reproduction.table_plan import Cell, Contest, Model, PaperTable
from common.tasks import tumour

LEAK = (
    "The paper's split: the 3,000 images of Br35H are 302 pictures and their rotated, flipped, brightened, sharpened, "
    "cropped or squeezed copies, and copies are on both sides of the split. These numbers explain the printed ones and "
    "say nothing about new images."
)
FOLDS: Mapping[str, tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]] = {
    "A": ((0.9794, 0.9734, 0.9770), (0.9794, 0.9734, 0.9770), (0.9634, 0.9740, 0.9803)),
    "B": ((0.9826, 0.9778, 0.9725), (0.9826, 0.9778, 0.9725), (0.9848, 0.9822, 0.9874)),
}
"""P2, table 1: accuracy, sensitivity and specificity of the three folds."""

MEANS = {"A": (0.9766, 0.9766, 0.9726), "B": (0.9776, 0.9776, 0.9848)}

MEASURES = {"accuracy": "accuracy", "sensitivity": "sensitivity", "specificity": "specificity", "auc": "AUC"}
VALIDATION = "validation"
MODELS = tuple(
    Model(folder, "tumour", {"net": net}, also={"paper": (VALIDATION,), "patient": (VALIDATION,)})
    for net, folder in NETS.items()
)
VARIANCES = {"A": (0.092, 0.092, 0.736), "B": (0.253, 0.253, 0.068)}
SECONDS = {"A": 60, "B": 20 * 60}
"""P2, results: of training a fold, on an A100."""

NOTES = (
    "Each image counts as one in every column. Br35H names no patients: split by patient means that groups of copies "
    "are split. Intervals are 95 %, over these groups, or over images in the paper's split.",
    "P2's cross-validated sensitivity equals its accuracy in every fold while the specificity differs: only a recall "
    "weighted by the classes does that, so it is no sensitivity. Its test side was not stratified (the figures fit 297 "
    "tumours and 303 others).",
    'P2 chose the epoch with the "highest average accuracy for our test dataset". So does its recipe on its split '
    "here: the number of the test side is the best of 30 on it. Split by patient, the validation side chooses it.",
)
OF_FOLDS = (
    'P2\'s row "variance" has a percent sign. Its numbers are variances of the folds in squared percentage points: '
    "those of its own three folds are 0.091, 0.091 and 0.729 (A) and 0.255, 0.255 and 0.068 (B). Its text has standard "
    "deviations of 0.287 and 0.328 instead, where the folds give 0.302 and 0.505.",
    "P2 calls the network with transfer the faster one, since its convolutions are not trained, and prints about 1 "
    'minute a fold for A and "20 per fold" for B, twenty times as much. The conclusion calls B\'s cost the lower one '
    "again. The seconds here are those of the training steps on the machine of the run, without validation.",
)
OF_TEST = (
    "Held-out test: the networks of all folds are judged on the same held-out images, mean and standard deviation; P2 "
    "does not say which of its networks it judged."
)
CONTEST = Contest(
    first=("net_a", "A"),
    second=("net_b", "B"),
    measure="accuracy",
    side=VALIDATION,
    published=(FOLDS["A"][0], FOLDS["B"][0]),
    words=(
        "P2 prints t = 0.3977 of a T-test of the accuracy across three folds, and does not say which. It is a "
        "two-sample t from the rounded means and standard deviations of its text (97.66 ± 0.287 and 97.76 ± 0.328 give "
        "0.397). The folds of its own table 1 have other deviations (0.302 and 0.505) and give -0.304 by the "
        "two-sample test, -0.371 by the paired and -0.234 by the corrected one. By none do the networks differ.",
    ),
)


def cross_validation(tasks: Sequence[str]) -> PaperTable:
    """Table 1: three-fold cross-validation, the t-tests over its folds, and below it the held-out test."""
    return PaperTable(
        name="p2-table1",
        title="Tumour or none: three-fold cross-validation",
        source="P2, table 1",
        models=MODELS,
        cells=(*_fold_cells(), *_variance_cells(), *_test_cells("Held-out test"), *_second_cells()),
        notes=(*NOTES, *OF_FOLDS, OF_TEST),
        leak=LEAK,
        repeats=3,
        varied=("net",),
        cohort=tumour.TASK.cohort,
        folds=3,
        contest=CONTEST,
        figures=(CURVES_OF_A, CURVES_OF_B),
    )


def held_out(tasks: Sequence[str]) -> PaperTable:
    """Graphics 3 and 4: the held-out test alone."""
    return PaperTable(
        name="p2-table2",
        title="Tumour or none: held-out test",
        source="P2, graphics 3 and 4",
        models=MODELS,
        cells=tuple(
            Cell(label, f"network {net}", folder, measure, PRINTED[net][measure], "samples")
            for measure, label in MEASURES.items()
            for net, folder in NETS.items()
        ),
        notes=(*NOTES, OF_TEST),
        leak=LEAK,
        repeats=3,
        varied=("net",),
        cohort=tumour.TASK.cohort,
        folds=3,
        confusion=True,
        figures=(ROC, BARS, *HEAT_MAPS),
    )


def _fold_cells() -> tuple[Cell, ...]:
    rows = {"Fold 1": 0, "Fold 2": 1, "Fold 3": 2, "Mean": None}
    return tuple(
        Cell(
            row,
            f"{net}: {MEASURES[measure]}",
            folder,
            measure,
            MEANS[net][place] if fold is None else FOLDS[net][place][fold],
            "samples",
            side=VALIDATION,
            repeat=fold,
        )
        for row, fold in rows.items()
        for net, folder in NETS.items()
        for place, measure in enumerate(("accuracy", "sensitivity", "specificity"))
    )


def _variance_cells() -> tuple[Cell, ...]:
    return tuple(
        Cell(
            "Variance (squared percentage points)",
            f"{net}: {MEASURES[measure]}",
            folder,
            measure,
            VARIANCES[net][place],
            "samples",
            side=VALIDATION,
            variance=True,
        )
        for net, folder in NETS.items()
        for place, measure in enumerate(("accuracy", "sensitivity", "specificity"))
    )


def _second_cells() -> tuple[Cell, ...]:
    return tuple(
        Cell("Mean", f"{net}: seconds of training", folder, "training_seconds", SECONDS[net], digits=0)
        for net, folder in NETS.items()
    )


def _test_cells(row: str) -> tuple[Cell, ...]:
    return tuple(
        Cell(row, f"{net}: {label}", folder, measure, PRINTED[net][measure], "samples")
        for net, folder in NETS.items()
        for measure, label in MEASURES.items()
    )
