"""The figures of P2, and what its text leaves of them."""

from __future__ import annotations

from collections.abc import Mapping

from common.reproduction.table_plan import PaperFigure
from common.tasks import tumour

NOT_MADE: Mapping[str, str] = {
    "figure 1": "a diagram: network A; network_def of the bundle's train.yaml is it",
    "figure 2": "a diagram: network B",
    "figure 3": "a diagram: the dense layers of both",
}
NETS = {"A": "net_a", "B": "net_b"}
PRINTED = {"A": tumour.FROM_SCRATCH.measures, "B": tumour.TRANSFER.measures}
"""P2, graphics 3 and 4: of the 600 images that were held out."""

MEASURES = ("accuracy", "sensitivity", "specificity", "auc")

ROC = PaperFigure(
    name="p2-graphic3",
    title="ROC curves of A and B on the held-out images",
    source="P2, graphic 3",
    drawing="roc",
    models=NETS,
    published={net: (measures["auc"],) for net, measures in PRINTED.items()},
)

BARS = PaperFigure(
    name="p2-graphic4",
    title="A and B on the held-out images",
    source="P2, graphic 4",
    drawing="bars",
    models=NETS,
    measures=MEASURES,
    published={net: tuple(measures[name] for name in MEASURES) for net, measures in PRINTED.items()},
)
