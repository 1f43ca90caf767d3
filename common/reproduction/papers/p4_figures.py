"""The figures of P4, and what its text leaves of them."""

from __future__ import annotations

from collections.abc import Mapping

from common.reproduction.table_plan import PaperFigure
from common.tasks import volume_grade

NOT_MADE: Mapping[str, str] = {
    "table 6": "accuracies that other works printed, on other data: 84.0 to 97.1 %, in the prose of section 7 alone",
    "figure 1": "pictures: a low-grade and a high-grade glioma",
    "figure 2": "pictures: the parts of a high-grade glioma",
    "figure 3": "a diagram: the three networks; common/networks/video_backbones.py has them",
}
FROM_SCRATCH, PRE_TRAINED = "from scratch", "pre-trained"
NOT_PRINTED = "Its counts are not in P4's text. Counts of three overlapping test sides are added up: no sum of people."


def model_name(backbone: str, pretrained: bool) -> str:
    """Of a network of P4's table."""
    return f"volume_grade/{backbone}{'_pretrained' if pretrained else ''}"


def _confusion(number: int, backbone: str, told: str) -> PaperFigure:
    return PaperFigure(
        name=f"p4-figure{number}",
        title=f"confusion of {volume_grade.NETWORKS[backbone]}",
        source=f"P4, figure {number}",
        drawing="confusion",
        models={FROM_SCRATCH: model_name(backbone, False), PRE_TRAINED: model_name(backbone, True)},
        notes=(f"{told} {NOT_PRINTED}",),
    )


CONFUSIONS = (
    _confusion(4, "r2plus1d_18", "P4 draws the pre-trained one."),
    _confusion(5, "mc3_18", "P4 does not say which of the two it draws."),
    _confusion(6, "r3d_18", "P4 does not say which of the two it draws."),
)

HEAT_MAPS = PaperFigure(
    name="p4-figure7",
    title="precision, recall, specificity and F1 of each class",
    source="P4, figure 7",
    drawing="class measures",
    models={
        f"{volume_grade.NETWORKS[backbone]}{', pre-trained' if pretrained else ''}": model_name(backbone, pretrained)
        for backbone, pretrained in volume_grade.F1
    },
    measures=("precision", "recall", "specificity", "f1"),
    notes=("Of its numbers only F1 is in P4's tables.",),
)
