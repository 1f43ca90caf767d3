"""What the page of a classification says of each task and each protocol."""

from __future__ import annotations

TITLES = {
    "grade": "Glioma grade: evaluation",
    "survival": "Glioma survival: evaluation",
    "mgmt": "MGMT promoter methylation: evaluation",
    "tumour": "Brain tumour or none: evaluation",
    "volume_grade": "Glioma grade of a whole volume: evaluation",
}
SHARED = {
    "slice": "slices of one patient",
    "image": "images of one patient",
    "subject": "copies of one image",
}
"""What a published split leaves on both sides, by its unit."""
LEAKY = (
    "Published protocol: {shared} stand on both sides of the split, so these numbers do not tell how the "
    "network does on a new {case}."
)
OVERLAPPING = (
    "Published protocol: random 7:3 splits of the patients. Nobody stands on both sides of a split, but the test sides "
    "of its three splits overlap, and its healthy brains come from another data set than its tumours."
)
"""P4's protocol, in place of :data:`LEAKY`."""

PERMUTED = (
    "The labels were shuffled between {shuffled} (--permute_labels true): these numbers tell what chance, or memory of "
    "the {cases}, is worth, and nothing about a disease."
)
INVENTED = (
    "{count} patients have an invented age or survival time, as P1 drew them for LGG: who is told by such a value is "
    "told by the invention."
)

PRINTED = {
    "grade": "The printed numbers count images, whose patients the network had met: only a run under the published "
    "protocol compares with them.",
    "survival": "The printed numbers count images or slices, whose patients the networks had met, and P1's classes are "
    "other ones (1 and 5 years, the long one mostly LGG patients with invented times): only a run under the published "
    "protocol compares with them.",
    "mgmt": "P5's accuracy counts slices, whose patients the network had met, at the epoch that was best on them "
    "(93.00 % on its training slices): only a run under the published protocol, which also chooses the epoch on what "
    "it reports, compares with it. Under splits by patient the challenge's winner reached an AUC of about 0.62, its "
    "models 0.562 on other patients (Kim 2022), and a study of 585 patients found no correlation (Saeed 2023): about "
    "0.5 is the result to expect.",
    "volume_grade": "P4's numbers are means over three splits, and its healthy brains, another scanner's and another "
    "sequence's, lift both averages: the grades on their own are the ones to read. For the pre-trained MC3 its tables "
    "have a macro F1 of .9654, its abstract .9545 and its conclusion .9345, which is the original paper's (Chatterjee "
    "et al. 2022, accuracy 96.98 %).",
    "tumour": "P2's numbers are of a test set on which the epoch was chosen, and most of whose images have a copy in "
    "training: only a run under the published protocol compares with them.",
}
