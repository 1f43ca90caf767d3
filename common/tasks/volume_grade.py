"""Low grade, high grade or healthy, from a whole volume."""

from __future__ import annotations

from collections.abc import Mapping

from common.records import HEALTHY
from common.tasks.published import Published
from common.tasks.references import P4
from common.tasks.task import Prose, Task

F1: Mapping[tuple[str, bool], tuple[float, float, float, float, float]] = {
    ("r3d_18", False): (0.8673, 0.8845, 0.9972, 0.9096, 0.9270),
    ("r3d_18", True): (0.8145, 0.8741, 0.9998, 0.8952, 0.9272),
    ("r2plus1d_18", False): (0.8456, 0.8852, 0.9928, 0.9045, 0.9325),
    ("r2plus1d_18", True): (0.8738, 0.8980, 0.9855, 0.9328, 0.9494),
    ("mc3_18", False): (0.7782, 0.8331, 0.9963, 0.8652, 0.8891),
    ("mc3_18", True): (0.9049, 0.9249, 0.9985, 0.9654, 0.9770),
}
"""P4, tables 2 to 5, by backbone and whether it was pre-trained: F1 of LGG, HGG and healthy, macro and weighted F1."""

F1_DEVIATIONS: Mapping[tuple[str, bool], tuple[float, float, float]] = {
    ("r3d_18", False): (0.051, 0.041, 0.005),
    ("r3d_18", True): (0.047, 0.039, 0.001),
    ("r2plus1d_18", False): (0.020, 0.029, 0.002),
    ("r2plus1d_18", True): (0.041, 0.037, 0.005),
    ("mc3_18", False): (0.032, 0.028, 0.002),
    ("mc3_18", True): (0.033, 0.034, 0.003),
}
"""P4, tables 2 to 4: what stands behind ± for LGG, HGG and healthy; the averages have none."""

ACCURACY = 0.9698
"""Of the pre-trained MC3 in P4's conclusion and in the original paper; P4's abstract has .9898."""

NETWORKS: Mapping[str, str] = {"r3d_18": "R3D", "r2plus1d_18": "R(2+1)D", "mc3_18": "MC3"}


def _published(backbone: str, pretrained: bool) -> Published:
    lgg, hgg, healthy, macro, weighted = F1[backbone, pretrained]
    return Published(
        f"P4, {NETWORKS[backbone]}{', pre-trained' if pretrained else ''} (tables 2 to 5)",
        {"macro_f1": macro, "weighted_f1": weighted},
        {"LGG": {"f1": lgg}, "HGG": {"f1": hgg}, HEALTHY: {"f1": healthy}},
        backbone=backbone,
    )


TASK = Task(
    name="volume_grade",
    bundle="glioma_spatiospatial_classification",
    question="one volume → low grade, high grade or healthy, and what its source predicts",
    papers=("P4",),
    cohort="people",
    classes=("LGG", "HGG", HEALTHY),
    label="grade",
    asked="the grade",
    title="Glioma grade of a whole volume",
    published=tuple(_published(*key) for key in F1),
    reading=(
        "P4's numbers are means over three splits. Its healthy brains, of another scanner and another sequence, raise "
        "both averages: read the numbers of the grades on their own. For the pre-trained MC3 its tables have a macro "
        "F1 of .9654, its abstract .9545 and its conclusion .9345, which is the original paper's (Chatterjee et al. "
        "2022, accuracy 96.98 %)."
    ),
    apart=(
        "The paper's split: random 7:3 draws of the patients. Nobody is on both sides of a split, but the test sides "
        "of its three splits overlap, and its healthy brains come from another data set than its tumours."
    ),
    prose=Prose(
        task="Glioma grade (LGG or HGG) or no tumour from one whole volume of brain MRI",
        description=(
            "A video network of torchvision (R3D-18, MC3-18 or R(2+1)D-18) takes a whole volume, its axial slices in "
            "place of a video's frames, and distinguishes low-grade glioma, high-grade glioma and healthy brains. It "
            "follows Harkude (after Chatterjee and colleagues), is trained on BraTS and IXI with a split by patient, "
            "reports what predicts the classes by their source alone, and judges the grades on their own. The bundle "
            "ships without weights."
        ),
        data_type="nibabel",
        image_classes=(
            "one channel: T1ce (T1 of healthy people), brain only, scaled to [0, 1] between the 0.5th and the 99.5th "
            "percentile, 80 x 96 x 80 voxels of 2 mm"
        ),
        label_classes="one index: 0 low-grade glioma (LGG), 1 high-grade glioma (HGG), 2 healthy",
        pred_classes="three logits: LGG, HGG, healthy; after post-processing their probabilities",
        references=(
            P4,
            "Chatterjee S, Nizamani FA, Nürnberger A, Speck O. Classification of brain tumours in MR images using "
            "deep spatiospatial models. Scientific Reports 12, 1505 (2022). "
            "https://doi.org/10.1038/s41598-022-05572-6",
            "Tran D, Wang H, Torresani L, Ray J, LeCun Y, Paluri M. A Closer Look at Spatiotemporal Convolutions for "
            "Action Recognition. CVPR (2018). https://arxiv.org/abs/1711.11248",
            "IXI data set. https://brain-development.org/ixi-dataset/",
            "Isensee F, et al. Automated brain extraction of multisequence MRI using artificial neural networks "
            "(HD-BET). Human Brain Mapping 40 (2019). https://doi.org/10.1002/hbm.24750",
            "Fisch L, et al. deepbet: Fast brain extraction of T1-weighted MRI using Convolutional Neural Networks. "
            "Computers in Biology and Medicine 179, 108845 (2024). https://doi.org/10.1016/j.compbiomed.2024.108845",
        ),
    ),
)
