"""The results of P5 (Kaymak & Demir): MGMT promoter methylation from slices, counted by slice and by patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from common.reproduction.table_plan import Cell, Model, PaperTable
from common.tasks import mgmt

LEAK = (
    "The paper's split: slices of a patient are on both sides of it, neighbours of one another, and the "
    "best epoch is chosen on the slices that are reported. These numbers explain the printed ones and say nothing "
    "about new patients."
)
NOT_MADE: Mapping[str, str] = {
    "figure 1": "pictures: a slice of each of the four series",
    "pictures of section 4": "slices with their true and predicted label; report.html of every run shows some",
}
FIRST, LAST = mgmt.TRAINING_ACCURACY
BEST = mgmt.PUBLISHED.measures["accuracy"]
MODEL = Model("mgmt/resnet18", "mgmt", also={"paper": ("train",), "patient": ("train", "validation")})


def methylation(tasks: Sequence[str]) -> PaperTable:
    """Section 4: training and validation accuracy over slices; the AUC over patients, which it does not print."""
    return PaperTable(
        name="p5",
        title="MGMT promoter methylation",
        source="P5, section 4",
        models=(MODEL,),
        cells=(
            Cell("training accuracy, first epoch", "ResNet18", MODEL.name, "first_train_accuracy", FIRST, "samples"),
            Cell("training accuracy, last epoch", "ResNet18", MODEL.name, "last_train_accuracy", LAST, "samples"),
            Cell("training accuracy, chosen", "ResNet18", MODEL.name, "accuracy", None, "samples", side="train"),
            Cell("validation accuracy, best epoch", "ResNet18", MODEL.name, "highest_val_accuracy", BEST, "samples"),
            Cell("validation accuracy, slices", "ResNet18", MODEL.name, "accuracy", BEST, "samples", side="validation"),
            Cell("test accuracy, slices", "ResNet18", MODEL.name, "accuracy", None, "samples"),
            Cell("test accuracy, patients", "ResNet18", MODEL.name, "accuracy", None, "patients"),
            Cell("test AUC, patients", "ResNet18", MODEL.name, "auc", None, "patients"),
        ),
        notes=(
            "P5 names a validation and a test side, gives no result on the latter, and reports the side that chose the "
            "best epoch: in its split both are one side here, and this choice is part of the leak. Its training "
            "accuracies are those of the steps themselves, and so are these of the first and the last epoch; the "
            "chosen weights are judged on that side as well. Split by patient, our recipe validates by patients.",
            "Splits by patient found little or nothing: an AUC of about 0.62 for the challenge's winner, 0.562 "
            "for its models on other patients (Kim 2022), no correlation in 585 patients (Saeed 2023). An AUC whose "
            "interval holds 0.5 is the result to expect; the runs below show whether it is so here.",
            "A patient's prediction is the mean over the slices. Intervals are 95 %, over patients.",
        ),
        leak=LEAK,
        cohort=mgmt.TASK.cohort,
        confusion=True,
    )
