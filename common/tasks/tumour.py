"""A tumour in a single slice, or none. Br35H names no patients, so that images and groups of copies are counted."""

from __future__ import annotations

from dataclasses import replace

from common.tasks.nouns import Nouns
from common.tasks.published import Published
from common.tasks.references import P2
from common.tasks.task import Prose, Task

FROM_SCRATCH = Published(
    "P2, from scratch (test set)", {"accuracy": 0.9967, "sensitivity": 1, "specificity": 0.9934, "auc": 0.9994}
)
TRANSFER = Published(
    "P2, transfer (test set)", {"accuracy": 0.98, "sensitivity": 0.9832, "specificity": 0.9769, "auc": 0.9951}
)

IMAGES = Nouns(
    subject="image",
    subjects="images",
    case="image",
    counted="scans",
    scans="images",
    samples="images",
    shuffled="groups of copies",
    shared="copies of one image",
    trained_on="copies of the images",
    columns={"subject": "image"},
)
"""In the paper's split a copy of an image counts as an image of its own."""

GROUPS = replace(
    IMAGES,
    subject="group of copies",
    subjects="groups of copies",
    columns={"subject": "group of copies", "scan": "image"},
)

TASK = Task(
    name="tumour",
    bundle="brain_tumor_classification",
    question="one JPG slice → tumour or none, with a heat map; copies of an image stay together",
    papers=("P2",),
    cohort="images",
    classes=("none", "tumour"),
    label="tumour",
    asked="whether there is a tumour",
    title="Brain tumour or none",
    published=(FROM_SCRATCH, TRANSFER),
    reading=(
        "P2's numbers are of a test set on which the epoch was chosen, and most of whose images have a copy in "
        "training: only a run of its recipe on its split is comparable with them."
    ),
    nouns={"patient": GROUPS, "paper": IMAGES},
    prose=Prose(
        task="Detection of a brain tumour in single MRI slices",
        description=(
            "A small network that learns from scratch, or a frozen ResNet-50V2 with dense layers, predicts from a "
            "single slice whether a brain tumour is visible. It follows Jardim and colleagues and is trained on "
            "Br35H. Since most images of that data set are copies of others, copies are found and kept on one side "
            "of the split; the published split by image can be repeated for comparison. The bundle ships without "
            "weights."
        ),
        own_data="a folder or list of your own images",
        data_type="jpg",
        image_classes="one channel: a grey slice, resized to 240 x 240 pixels, 0 to 1 (three channels, RGB, for net B)",
        label_classes="one index: 0 no tumour (none), 1 a tumour is seen (tumour)",
        pred_classes="two logits: none, tumour; after post-processing their probabilities",
        references=(
            P2,
            "Hamada A. Br35H :: Brain Tumor Detection 2020. Kaggle (2020).",
            "He K, Zhang X, Ren S, Sun J. Identity Mappings in Deep Residual Networks. ECCV 2016. "
            "https://arxiv.org/abs/1603.05027",
            "Selvaraju RR, et al. Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization. "
            "International Journal of Computer Vision 128, 336-359 (2020). https://arxiv.org/abs/1610.02391",
        ),
    ),
)
