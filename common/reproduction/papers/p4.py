"""The tables of P4 (Harkude, after Chatterjee et al. 2022) in one: what the three networks cost, and their F1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from common.reproduction.papers.p4_figures import CONFUSIONS, HEAT_MAPS, model_name
from common.reproduction.table_plan import Cell, Model, PaperTable
from common.tasks import volume_grade

LEAK = (
    "The paper's split: random 7:3 draws of the people. Nobody is on both sides of one, but the test sides of "
    "the three overlap, so that their spread is no standard error. Its healthy brains come from another scanner, "
    "another sequence and another brain extraction than its tumours: that they are recognised shows nothing, and it "
    "raises both averages. The grades on their own are the columns to read."
)
ROWS: Mapping[str, str] = {
    "r3d_18": "ResNet 3D",
    "r2plus1d_18": "ResNet (2+1)D",
    "mc3_18": "ResNet Mixed Convolution",
}
PARAMETERS: Mapping[str, int] = {"r3d_18": 34_261_634, "r2plus1d_18": 32_398_366, "mc3_18": 22_583_975}
"""P4, table 1."""

CLASSES = ("LGG", "HGG", "healthy")
F1 = {**{f"F1 {name}": f"f1_{name}" for name in CLASSES}, "macro F1": "macro_f1", "weighted F1": "weighted_f1"}
OF_FIGURE_7 = {
    f"{measure} {name}": f"{measure}_{name}" for name in CLASSES for measure in ("precision", "recall", "specificity")
}
"""Besides F1; P4 draws them as heat maps and prints none of them."""

ON_THEIR_OWN = {"LGG against HGG: AUC": "subgroup_auc", "LGG against HGG: macro F1": "subgroup_macro_f1"}
NOTES = (
    "Means over the splits with their standard deviation; each volume counts as one. Split by patient means the "
    "folds of the bundle, grouped by patient and stratified by class.",
    "P4's parameter counts do not fit the networks that it describes; with one input channel and three classes "
    "torchvision's have 33,148,995 (R3D), 31,297,254 (R(2+1)D) and 11,472,963 (MC3).",
    "A step is forward pass, loss, backward pass and optimiser on the first training run's own device, median of 20; "
    "memory is the most that tensors took on a GPU, or the most that the whole process took on a CPU (which of them, "
    "cost.json of the run states). P4 prints neither.",
    "Of the pre-trained mixed convolution, P4's tables have F1 .9049 (LGG) and .9249 (HGG), its text .8949 and .9123; "
    "a macro F1 of .9654 in the table, .9545 in the abstract and .9345 in the conclusion; a test accuracy of 98.98 % "
    "in the abstract and 96.98 % in the conclusion; 96.98 % also follows from section 7, by which Zhuge's 97.1 % is "
    "0.12 percent more. The original paper has .9345 and 96.98 %. Its text also has other "
    "deviations than its tables (R(2+1)D pre-trained: LGG ± .033 for .041, HGG ± .032 for .037).",
    "In no row is the printed macro F1 the mean of the three class F1s, although means over splits keep that relation "
    "(pre-trained mixed convolution: .9428, printed .9654). The weighted F1 does not follow from them and the "
    "cohort's shares either (pre-trained mixed convolution: .9547, printed .9770).",
    'The text says of healthy brains that "all the mean scores are more than .9960"; its own table has .9928 and '
    ".9855.",
    "The paper's recipe draws the published cohort, 73 LGG, 259 HGG and 259 people of IXI, by --set seed (0); which "
    "ones P4 drew is not known. Its weights of the classes are then .876, .562 and .562.",
    "P4 names accuracy, precision, recall and specificity as its measures, draws the last three and F1 as heat maps by "
    "class (figure 7), and prints none of them but the accuracy of one network.",
    "P4 calls three random 7:3 splits a three-fold cross-validation.",
    "LGG against HGG: tumours alone, by the share of a grade in the probabilities of both. P4 does not print it.",
)


def spatio_spatial(tasks: Sequence[str]) -> PaperTable:
    """Tables 1 to 5: parameters, F1 by class, macro and weighted; the measures of figure 7; the grades on their own."""
    return PaperTable(
        name="p4-table1",
        title="Spatio-spatial networks: cost and F1",
        source="P4, tables 1 to 5",
        models=tuple(_model(*key) for key in volume_grade.F1),
        cells=tuple(cell for key in volume_grade.F1 for cell in _cells(*key)),
        notes=NOTES,
        leak=LEAK,
        repeats=3,
        varied=("backbone", "pretrained"),
        confusion=True,
        cohort=volume_grade.TASK.cohort,
        drawn=("paper",),
        healthy=True,
        apart=True,
        figures=(*CONFUSIONS, HEAT_MAPS),
    )


def _model(backbone: str, pretrained: bool) -> Model:
    return Model(model_name(backbone, pretrained), "volume", {"backbone": backbone, "pretrained": pretrained})


def _cells(backbone: str, pretrained: bool) -> Iterator[Cell]:
    row, name = f"{'Pre-trained ' if pretrained else ''}{ROWS[backbone]}", model_name(backbone, pretrained)
    yield Cell(row, "parameters", name, "cost_parameters", PARAMETERS[backbone], repeat=0, digits=0)
    yield Cell(row, "peak memory of training, MB", name, "cost_peak_memory_mb", repeat=0, digits=0)
    yield Cell(row, "training step, s", name, "cost_step_seconds", repeat=0)
    printed_f1, deviations = volume_grade.F1[backbone, pretrained], volume_grade.F1_DEVIATIONS[backbone, pretrained]
    for (column, measure), printed, deviation in zip_longest(F1.items(), printed_f1, deviations):
        yield Cell(row, column, name, measure, printed, "patients", deviation=deviation)
    printed_accuracy = volume_grade.ACCURACY if (backbone, pretrained) == ("mc3_18", True) else None
    yield Cell(row, "accuracy", name, "accuracy", printed_accuracy, "patients")
    for column, measure in OF_FIGURE_7.items():
        yield Cell(row, column, name, measure, None, "patients")
    for column, measure in ON_THEIR_OWN.items():
        yield Cell(row, column, name, measure, None, "patients")
