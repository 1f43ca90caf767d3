"""Low or high grade of a glioma."""

from __future__ import annotations

from common.tasks.published import Published
from common.tasks.references import BRATS, BRATS_CHALLENGE, BRATS_LABELS, P1
from common.tasks.task import Prose, Task

TABLE_5 = Published(
    "P1, table 5",
    {"accuracy": 0.97, "macro_precision": 0.97, "macro_recall": 0.97, "macro_f1": 0.97},
    {
        "LGG": {"precision": 0.98, "recall": 0.95, "f1": 0.96},
        "HGG": {"precision": 0.96, "recall": 0.99, "f1": 0.97},
    },
)

TASK = Task(
    name="grade",
    bundle="glioma_grade_classification",
    question="three slices → low or high grade",
    papers=("P1",),
    classes=("LGG", "HGG"),
    label="grade",
    asked="the grade",
    title="Glioma grade",
    published=(TABLE_5,),
    reading=(
        "The printed numbers count images, and the network had been trained on other images of the same patients: only "
        "a run of P1's recipe on its split is comparable with them."
    ),
    prose=Prose(
        task="Grade of glioma (low or high) from three slices of multimodal brain MRI",
        description=(
            "A 2-D network reads three axial slices, 30 mm apart, of four co-registered, skull-stripped MRI "
            "sequences (FLAIR, T1, contrast-enhanced T1, T2), and on request age and extent of resection, and "
            "classifies gliomas as low-grade or high-grade. It follows Valbuena Rubio and colleagues, is trained on "
            "BraTS with a split by patient, and can repeat the published split by image for comparison. The bundle "
            "ships without weights."
        ),
        data_type="nibabel",
        image_classes=(
            "twelve channels: three axial slices each of FLAIR, T1, contrast-enhanced T1, T2; z-scores within the "
            "brain, background zero"
        ),
        label_classes="one index: 0 low-grade glioma (LGG), 1 high-grade glioma (HGG)",
        pred_classes="two logits: LGG, HGG; after post-processing their probabilities",
        references=(
            P1,
            BRATS,
            BRATS_LABELS,
            BRATS_CHALLENGE,
        ),
    ),
)
