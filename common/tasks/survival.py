"""Short, mid or long survival with a glioma."""

from __future__ import annotations

from common.tasks.published import Published
from common.tasks.references import BRATS, BRATS_CHALLENGE, BRATS_LABELS, P1, P3
from common.tasks.task import Prose, Task

FROM_IMAGES = Published(
    "P1, table 6",
    {"accuracy": 0.65, "macro_precision": 0.61, "macro_recall": 0.61, "macro_f1": 0.60},
    {
        "short": {"precision": 0.52, "recall": 0.31, "f1": 0.39},
        "mid": {"precision": 0.49, "recall": 0.57, "f1": 0.53},
        "long": {"precision": 0.82, "recall": 0.96, "f1": 0.88},
    },
)
FROM_TRUE_MASKS = Published(
    "P3, true masks (table 2, figure 6)",
    {"accuracy": 0.6515},
    {
        "short": {"recall": 0.7006, "auc": 0.78},
        "mid": {"recall": 0.5158, "auc": 0.69},
        "long": {"recall": 0.7393, "auc": 0.74},
    },
    {"all slices": {"accuracy": 0.6515, "short": 0.7006, "mid": 0.5158, "long": 0.7393}},
)
LOSSES = {"true masks": 0.6613, "predicted masks": 0.8126}
"""P3, sections 5.2 and 5.3: test loss over all slices."""

EPOCHS = {
    "first_train_accuracy": 0.3978,
    "highest_train_accuracy": 0.6744,
    "first_val_accuracy": 0.4687,
    "highest_val_accuracy": 0.6553,
    "lowest_train_loss": 0.5908,
    "lowest_val_loss": 0.6687,
}
"""P3, section 4.2.3; the highest accuracies are those of epochs 11 and 15."""

FROM_PREDICTED_MASKS = Published(
    "P3, predicted masks (section 5.3, table 3)",
    {"accuracy": 0.6014},
    {"short": {"recall": 0.6473}, "mid": {"recall": 0.4586}, "long": {"recall": 0.6996}},
    {
        "all slices": {"accuracy": 0.6014, "short": 0.6473, "mid": 0.4586, "long": 0.6996},
        "slices with tumour": {"accuracy": 0.8692, "short": 0.8549, "mid": 0.8769, "long": 0.8776},
        "majority vote, slices counted": {"accuracy": 0.9831, "short": 0.9763, "mid": 0.9932, "long": 0.9796},
    },
)

TASK = Task(
    name="survival",
    bundle="glioma_survival_classification",
    question="three slices or tumour masks, and age → short, mid or long survival",
    papers=("P1", "P3"),
    classes=("short", "mid", "long"),
    title="Glioma survival",
    key_measure="concordance",
    published=(FROM_IMAGES, FROM_TRUE_MASKS, FROM_PREDICTED_MASKS),
    reading=(
        "The printed numbers count images or slices, and the networks had been trained on other ones of the same "
        "patients. P1's classes differ as well (1 and 5 years; the long class is LGG patients with invented "
        "times alone). Only a run of the paper's recipe on its split is comparable with them."
    ),
    prose=Prose(
        task="Survival class (short, mid or long) of patients with glioma from brain MRI, or from tumour masks",
        description=(
            "Two networks of published systems. The first reads three axial slices, 30 mm apart, of four MRI "
            "sequences with age and extent of resection (Valbuena Rubio and colleagues); the second reads the tumour "
            "masks slice by slice with the patient's age and lets the slices vote (Sathiyamoorthy and Vaidyanathan), "
            "from drawn masks or from those of the segmentation bundle. Both are trained on BraTS with a split by "
            "patient; the published splits by image and by slice are available as an overlay. The bundle ships "
            "without weights."
        ),
        data_type="nibabel",
        image_classes=(
            "twelve channels: three axial slices each of FLAIR, T1, contrast-enhanced T1, T2; z-scores within the "
            "brain, background zero"
        ),
        label_classes="one index: 0 short, 1 mid, 2 long survival; by default the tertiles of the training side",
        pred_classes="three logits: short, mid, long; after post-processing their probabilities",
        references=(
            P1,
            P3,
            BRATS,
            BRATS_LABELS,
            BRATS_CHALLENGE,
        ),
    ),
)
