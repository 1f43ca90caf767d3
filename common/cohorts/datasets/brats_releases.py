"""How the releases of BraTS name their patients' folders and files, and what their masks hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from common.records import BRATS_2023_MASK_VALUES, BRATS_2024_MASK_VALUES, BRATS_MASK_VALUES

ODD_STEMS = {("BraTS20_Training_355", "seg"): "W39_1998.09.19_Segm"}
"""Files that a release ships under another name."""


CBICA = "*Multimodal Brain Tumor Segmentation Challenge* at CBICA (University of Pennsylvania), after registration"
AT_THE_DOWNLOAD = "those shown at the download"
CITATION = (
    "Menze et al., IEEE TMI 34, 1993 (2015); Bakas et al., Sci Data 4, 170117 (2017); Bakas et al., arXiv:1811.02629"
)
CITATION_2021 = f"{CITATION}; Baid et al., arXiv:2107.02314"


@dataclass(frozen=True)
class Release:
    """A release.

    Args:
        source: its name in records.
        title: its name as people write it.
        pattern: of a folder's name, in any case. In a release whose folders are scans the group ``subject`` is the
            patient: a timepoint is no part of who it is.
        separator: what stands between the folder's name and the modality's.
        modalities: what the release calls a modality, where it has a name of its own.
        mask_values: of NCR, ED and ET, and of the resection cavity where there is one. They belong to the release: a
            single mask with 0, 1 and 2 does not tell.
        origin: see :class:`~common.cohorts.datasets.data_set.DataSet`, as of the next.
        terms: of use.
        citation: that is asked for.
        tasks: that its values allow.
    """

    source: str
    title: str
    pattern: str
    separator: str = "_"
    modalities: Mapping[str, str] = field(default_factory=dict)
    mask_values: tuple[int, ...] = BRATS_MASK_VALUES
    origin: str = CBICA
    terms: str = "for one's own research, with the citations that the organisers ask for"
    citation: str = CITATION
    tasks: tuple[str, ...] = ("segmentation", "grade", "survival", "volume_grade")

    def match(self, folder: str) -> re.Match[str] | None:
        """Whether a folder of that name is a patient's or a scan's."""
        return re.fullmatch(self.pattern, folder, re.IGNORECASE)

    def names(self, folder: str) -> dict[str, str]:
        """What a record says of itself: ``subject``, ``scan`` where folders are scans, and ``source``."""
        match = self.match(folder)
        if match and "subject" in match.groupdict():
            return {"subject": match["subject"], "scan": folder, "source": self.source}
        return {"subject": folder, "source": self.source}

    def stems(self, folder: str, key: str) -> list[str]:
        """What the file of a modality, or ``seg``, may be called, without its ending; the usual name first."""
        odd = ODD_STEMS.get((folder, key))
        return [f"{folder}{self.separator}{self.modalities.get(key, key)}", *([odd] if odd else [])]


BRATS2023 = Release(
    "brats2023",
    "BraTS 2023",
    r"(?P<subject>brats-gli-\d+)-0\d*",
    separator="-",
    modalities={"flair": "t2f", "t1": "t1n", "t1ce": "t1c", "t2": "t2w"},
    mask_values=BRATS_2023_MASK_VALUES,
    origin="*ASNR-MICCAI BraTS 2023 GLI* on Synapse, after registration",
    terms=AT_THE_DOWNLOAD,
    citation=CITATION_2021,
    tasks=("segmentation",),
)
"""The challenge on adult glioma (GLI); its last digits tell the timepoint."""

BRATS2023_SSA = replace(
    BRATS2023,
    source="brats2023_ssa",
    title="BraTS 2023 SSA",
    pattern=r"(?P<subject>brats-ssa-\d+)-\d+",
    origin="*BraTS-Africa (SSA)* of 2023 on Synapse, after registration",
    citation=f"Adewole et al., arXiv:2305.19369; {CITATION}",
)
"""Adult glioma in Sub-Saharan Africa, with the same labels."""

BRATS2024 = replace(
    BRATS2023,
    source="brats2024",
    title="BraTS 2024 GLI",
    pattern=r"(?P<subject>brats-gli-\d+)-[1-9]\d{2}",
    mask_values=BRATS_2024_MASK_VALUES,
    origin="*BraTS 2024 GLI*, adult glioma after treatment, on Synapse, after registration",
    citation=f"Correia de Verdier et al., arXiv:2405.18368; {CITATION}",
)
"""Adult glioma after treatment: timepoints begin at 100, and masks have a label for the resection cavity."""

RELEASES = (
    Release("brats2018", "BraTS 2018", r"brats18_\w+_\d+"),
    Release("brats2019", "BraTS 2019", r"brats19_\w+_\d+"),
    Release(
        "brats2020",
        "BraTS 2020",
        r"brats20_(training|validation|testing)_\d+",
        origin=f"{CBICA}; on Kaggle *BraTS2020 Dataset (Training + Validation)*",
    ),
    Release(
        "brats2021",
        "BraTS 2021",
        r"brats2021_\d+",
        origin="*RSNA-ASNR-MICCAI BraTS 2021* on Synapse; on Kaggle *BraTS 2021 Task 1 Dataset*",
        terms=AT_THE_DOWNLOAD,
        citation=CITATION_2021,
        tasks=("segmentation",),
    ),
    BRATS2023,
    BRATS2023_SSA,
    BRATS2024,
)


def find_release(folder: str) -> Release | None:
    """The release that names folders so."""
    return next((release for release in RELEASES if release.match(folder)), None)
