"""The figures of P3, and what its text leaves of them."""

from __future__ import annotations

from collections.abc import Mapping

from common.reproduction.table_plan import PaperFigure
from common.tasks.survival import FROM_TRUE_MASKS

NOT_MADE: Mapping[str, str] = {
    "figure 1": "pictures of another work: three kinds of tumour",
    "figure 2": "pictures of another work: one tumour, drawn by four people",
    "figure 4": "drawn masks beside predicted ones; report.html of the run of p3-table1 has them, from best to worst",
}
TRUE_MASKS, PREDICTED_MASKS = {"P3": "survival/true_masks"}, {"P3": "survival/predicted_masks"}

EXAMPLE = PaperFigure(
    name="p3-figure3",
    title="four sequences of a patient, and the three channels of the mask",
    source="P3, figure 3",
    drawing="example",
)

VOXELS = PaperFigure(
    name="p3-figure5",
    title="confusion of voxels, log counts",
    source="P3, figure 5",
    drawing="log counts",
    models={"P3": "segmentation/three_stages"},
    notes=(
        "P3 does not print the base of its logarithm: here 10, with the counts below. By its recipe they are pixels of "
        "256 x 256 slices, on the paper's split those of test slices alone. Its counts are not in the text.",
    ),
)

ROC = PaperFigure(
    name="p3-figure6",
    title="ROC curves of the bins, true masks",
    source="P3, figure 6",
    drawing="roc",
    models=TRUE_MASKS,
    published={name: (measures["auc"],) for name, measures in FROM_TRUE_MASKS.per_class.items()},
    notes=("P3's curves count slices, empty ones too.",),
)

CONFUSION = PaperFigure(
    name="p3-figure7",
    title="confusion of the bins, true masks",
    source="P3, figure 7",
    drawing="confusion",
    models=TRUE_MASKS,
    published={"short": (1287, 191, 359), "mid": (319, 947, 570), "long": (189, 284, 1341)},
    notes=(
        "P3's text prints six of the nine counts. With the accuracies of the bins and 5,487 test slices the other "
        "three (191, 947, 189) are determined.",
    ),
)

COMPONENTS = PaperFigure(
    name="p3-figure8",
    title="features of the masks in two dimensions",
    source="P3, figure 8",
    drawing="components",
    models=TRUE_MASKS,
    notes=(
        "P3 does not say which features of the masks its principal components are of: here the network's 128 image "
        "features, of every judged slice. It sees that the bins overlap, and prints no number.",
    ),
)

SHARES = PaperFigure(
    name="p3-figure9",
    title="share of each mask channel against the bin, predicted masks",
    source="P3, figure 9",
    drawing="channel shares",
    models=PREDICTED_MASKS,
    notes=(
        "Pearson's correlation, as seaborn's heat map of a table has it; the bins are 0, 1 and 2. P3's own values are "
        "not in its text, nor whether empty slices count.",
    ),
)
