"""What the papers printed about their networks, to be shown beside our own numbers. All are shares of 1.

P1, P3 and P5 count images or slices, and images or slices of one patient are on both sides of their splits. What
others found for MGMT counts patients that the networks were not trained on. P4 counts volumes, one per person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SOFT_DICE = {"NCR": 0.8728, "ED": 0.8275, "ET": 0.8942, "mean of the three": 0.8648}
"""P3, table 1: soft Dice on BraTS 2020, slices of one patient on both sides of the split."""

NOTHING: Mapping[str, Mapping[str, float]] = MappingProxyType({})


@dataclass(frozen=True)
class Published:
    """Numbers of a paper.

    Args:
        source: paper and table or section.
        measures: under the names of :func:`common.metrics.judge`.
        per_class: the same for each class, under its short name.
        votes: accuracies under the names of :func:`common.metrics.vote_table`.
        backbone: the network that they are about, where the paper compares several.
    """

    source: str
    measures: Mapping[str, float]
    per_class: Mapping[str, Mapping[str, float]]
    votes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: NOTHING)
    backbone: str | None = None


GRADE = Published(
    "P1, table 5",
    {"accuracy": 0.97, "macro_precision": 0.97, "macro_recall": 0.97, "macro_f1": 0.97},
    {
        "LGG": {"precision": 0.98, "recall": 0.95, "f1": 0.96},
        "HGG": {"precision": 0.96, "recall": 0.99, "f1": 0.97},
    },
)
SURVIVAL = Published(
    "P1, table 6",
    {"accuracy": 0.65, "macro_precision": 0.61, "macro_recall": 0.61, "macro_f1": 0.60},
    {
        "short": {"precision": 0.52, "recall": 0.31, "f1": 0.39},
        "mid": {"precision": 0.49, "recall": 0.57, "f1": 0.53},
        "long": {"precision": 0.82, "recall": 0.96, "f1": 0.88},
    },
)
SURVIVAL_MASKS = Published(
    "P3, true masks (table 2, figure 6)",
    {"accuracy": 0.6515},
    {
        "short": {"recall": 0.7006, "auc": 0.78},
        "mid": {"recall": 0.5158, "auc": 0.69},
        "long": {"recall": 0.7393, "auc": 0.74},
    },
    {"all slices": {"accuracy": 0.6515, "short": 0.7006, "mid": 0.5158, "long": 0.7393}},
)
SURVIVAL_COMBINED = Published(
    "P3, predicted masks (section 5.3, table 3)",
    {"accuracy": 0.6014},
    {"short": {"recall": 0.6473}, "mid": {"recall": 0.4586}, "long": {"recall": 0.6996}},
    {
        "all slices": {"accuracy": 0.6014, "short": 0.6473, "mid": 0.4586, "long": 0.6996},
        "slices with tumour": {"accuracy": 0.8692, "short": 0.8549, "mid": 0.8769, "long": 0.8776},
        "majority vote, slices counted": {"accuracy": 0.9831, "short": 0.9763, "mid": 0.9932, "long": 0.9796},
    },
)

MGMT = Published("P5, section 4 (best validation epoch, slices)", {"accuracy": 0.8703}, {})
MGMT_CHALLENGE = Published("RSNA-MICCAI 2021, winner on the private board (patients)", {"auc": 0.62}, {})
MGMT_EXTERNAL = Published("Kim et al. 2022, the challenge's models elsewhere (patients)", {"auc": 0.562}, {})

TUMOUR_A = Published(
    "P2, from scratch (test set)", {"accuracy": 0.9967, "sensitivity": 1, "specificity": 0.9934, "auc": 0.9994}, {}
)
TUMOUR_B = Published(
    "P2, transfer (test set)", {"accuracy": 0.98, "sensitivity": 0.9832, "specificity": 0.9769, "auc": 0.9951}, {}
)

VOLUME_GRADE: Mapping[tuple[str, bool], tuple[float, float, float, float, float]] = {
    ("r3d_18", False): (0.8673, 0.8845, 0.9972, 0.9096, 0.9270),
    ("r3d_18", True): (0.8145, 0.8741, 0.9998, 0.8952, 0.9272),
    ("r2plus1d_18", False): (0.8456, 0.8852, 0.9928, 0.9045, 0.9325),
    ("r2plus1d_18", True): (0.8738, 0.8980, 0.9855, 0.9328, 0.9494),
    ("mc3_18", False): (0.7782, 0.8331, 0.9963, 0.8652, 0.8891),
    ("mc3_18", True): (0.9049, 0.9249, 0.9985, 0.9654, 0.9770),
}
"""P4, tables 2 to 5, by backbone and whether it was pre-trained: F1 of LGG, HGG and healthy, macro and weighted F1."""

VOLUME_NETS: Mapping[str, str] = {"r3d_18": "R3D", "r2plus1d_18": "R(2+1)D", "mc3_18": "MC3"}


def _volume_grade(backbone: str, pretrained: bool) -> Published:
    lgg, hgg, healthy, macro, weighted = VOLUME_GRADE[backbone, pretrained]
    return Published(
        f"P4, {VOLUME_NETS[backbone]}{', pre-trained' if pretrained else ''} (tables 2 to 5)",
        {"macro_f1": macro, "weighted_f1": weighted},
        {"LGG": {"f1": lgg}, "HGG": {"f1": hgg}, "healthy": {"f1": healthy}},
        backbone=backbone,
    )


PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "grade": (GRADE,),
    "survival": (SURVIVAL, SURVIVAL_MASKS, SURVIVAL_COMBINED),
    "tumour": (TUMOUR_A, TUMOUR_B),
    "mgmt": (MGMT, MGMT_CHALLENGE, MGMT_EXTERNAL),
    "volume_grade": tuple(_volume_grade(*key) for key in VOLUME_GRADE),
}


def papers_of(task: str, backbone: str | None = None) -> tuple[Published, ...]:
    """What was printed about a task.

    Args:
        task: a key of :data:`PUBLISHED`.
        backbone: of papers that compare several networks, only the one with this backbone.

    Returns:
        One :class:`Published` per paper, or per network that it compares.
    """
    papers = PUBLISHED.get(task, ())
    return tuple(paper for paper in papers if backbone is None or paper.backbone in (None, backbone))


def short_name(name: str) -> str:
    """``mid`` of ``mid (268 to 476 days)``: the name of the class without the split's days."""
    return name.split(" (")[0]
