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

OF_CURVES = (
    "Training loss and accuracy are those of the steps themselves, with dropout; the validation loss is the mean "
    "negative log-likelihood of the fold's validation side. P2's text has no number of these curves.",
)
CURVES_OF_A, CURVES_OF_B = (
    PaperFigure(
        name=f"p2-graphic{number}",
        title=f"learning curves of {net}, fold by fold",
        source=f"P2, graphic {number}",
        drawing="curves",
        models={net: NETS[net]},
        notes=OF_CURVES,
    )
    for number, net in ((1, "A"), (2, "B"))
)

ROC = PaperFigure(
    name="p2-graphic3",
    title="ROC curves of A and B on the held-out images",
    source="P2, graphic 3",
    drawing="roc",
    models=NETS,
    published={net: (measures["auc"],) for net, measures in PRINTED.items()},
    notes=("Of the networks of all folds the one with the median area is drawn, with its own area and band.",),
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

OF_HEAT_MAPS = (
    "Grad-CAM on the last convolution, of A on 120 x 120 positions and of B on 8 x 8 (of images of 240 x 240): B's "
    "maps are smooth because they are coarse. P2 finds that B's shows the tumour and A's does not; a map of one image "
    "is no measure of either.",
)
HEAT_MAPS = tuple(
    PaperFigure(
        name=f"p2-figure{number}",
        title=f"an image ({kind}), and over it the heat maps of A and B",
        source=f"P2, figure {number}",
        drawing="heat maps",
        models=NETS,
        measures=(kind,),
        notes=OF_HEAT_MAPS,
    )
    for number, kind in ((6, "tumour"), (7, "none"))
)
