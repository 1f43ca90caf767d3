"""The MGMT promoter of a glioblastoma: methylated or not."""

from __future__ import annotations

from common.tasks.published import Published
from common.tasks.references import P5
from common.tasks.task import Prose, Task

TRAINING_ACCURACY = (0.6049, 0.93)
"""P5, section 4: of the first and of the last of 30 epochs."""

PUBLISHED = Published("P5, section 4 (best validation epoch, slices)", {"accuracy": 0.8703})
CHALLENGE = Published("RSNA-MICCAI 2021, winner on the private board (patients)", {"auc": 0.62})
EXTERNAL = Published("Kim et al. 2022, the challenge's models elsewhere (patients)", {"auc": 0.562})

TASK = Task(
    name="mgmt",
    bundle="mgmt_classification",
    question="DICOM series → MGMT promoter methylated or not",
    papers=("P5",),
    cohort="series",
    classes=("unmethylated", "methylated"),
    label="mgmt",
    asked="the MGMT status",
    title="MGMT promoter methylation",
    published=(PUBLISHED, CHALLENGE, EXTERNAL),
    reading=(
        "P5's accuracy counts slices, the network had been trained on other slices of the same patients, and the epoch "
        "is the one that was best on the reported slices (93.00 % on its training slices): only a run of its recipe on "
        "its split, where the epoch is also chosen on what is reported, is comparable with it. Under splits by "
        "patient the challenge's winner reached an AUC of about 0.62, its models 0.562 on other patients (Kim 2022), "
        "and a study of 585 patients found no correlation (Saeed 2023): about 0.5 is the result to expect."
    ),
    prose=Prose(
        task="MGMT promoter methylation of glioblastoma (methylated or not) from slices of brain MRI",
        description=(
            "A ResNet-18 reads slices of a DICOM series (FLAIR by default, or several MRI sequences as channels) one "
            "by one and predicts whether the MGMT promoter is methylated; a patient's prediction is the mean over "
            "the slices. It follows Kaymak and Demir, is trained on RSNA-MICCAI 2021 with a split by patient, and "
            "can repeat the published split by slice for comparison. Work with splits by patient found little or no "
            "signal for this task. The bundle ships without weights."
        ),
        own_data="a list of your own series",
        data_type="dicom",
        image_classes=(
            "one channel: a slice of FLAIR, scaled to [0, 1] over the series, then by ImageNet's grey mean and "
            "standard deviation"
        ),
        label_classes="one index: 0 MGMT promoter unmethylated, 1 MGMT promoter methylated",
        pred_classes=(
            "two logits: unmethylated, methylated; after post-processing their probabilities, mean over a patient's "
            "slices"
        ),
        references=(
            P5,
            "Baid U, et al. The RSNA-ASNR-MICCAI BraTS 2021 Benchmark on Brain Tumor Segmentation and Radiogenomic "
            "Classification. https://arxiv.org/abs/2107.02314",
            "Kim BH, et al. Validation of MRI-Based Models to Predict MGMT Promoter Methylation in Gliomas: BraTS "
            "2021 Radiogenomics Challenge. Cancers 14(19), 4827 (2022). https://doi.org/10.3390/cancers14194827",
            "Saeed N, Ridzuan M, Alasmawi H, Sobirov I, Yaqub M. MGMT promoter methylation status prediction using "
            "MRI scans? An extensive experimental evaluation of deep learning models (2023). "
            "https://arxiv.org/abs/2304.00774",
        ),
    ),
)
