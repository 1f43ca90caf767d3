"""A segmentation as a DICOM SEG object on the grid of the series that it was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from common.studies.quiet import quiet
from common.studies.results import OWN_CODES, RESEARCH_USE, Origin, all_headers, common_elements
from common.studies.study import StudySeries

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription
    from pydicom import Dataset

Code = tuple[str, str, str]

ABNORMAL_STRUCTURE: Code = ("49755003", "SCT", "Morphologically Abnormal Structure")
BRAIN: Code = ("12738006", "SCT", "Brain")


@dataclass(frozen=True)
class Segment:
    """A class of the segmentation; its number is the class's index.

    Args:
        label: for viewers.
        kind: the property that is segmented, of CID 7151 where that has it.
        colour: CIELab, for viewers.
    """

    label: str
    kind: Code
    colour: tuple[float, float, float]


SEGMENTS = (
    Segment("NCR: necrotic and non-enhancing core", ("6574001", "SCT", "Necrosis"), (53.0, 80.0, 67.0)),
    Segment("ED: oedema", ("79654002", "SCT", "Edema"), (88.0, -79.0, 81.0)),
    Segment("ET: enhancing tumour", ("C113842", "NCIt", "Enhancing Lesion"), (97.0, -16.0, 93.0)),
)
"""Classes 1, 2 and 3. SNOMED CT has no code for an enhancing lesion, so CID 7151 takes NCI Thesaurus's."""

CAVITY = Segment("RC: resection cavity", ("RC", OWN_CODES, "Resection cavity"), (60.0, 0.0, -60.0))
"""Class 4, where a network has it and finds one. CID 7151 has no code for it."""


def make_segmentation(labels: NDArray[np.integer], series: Sequence[StudySeries], origin: Origin) -> Dataset:
    """Make a binary DICOM SEG object.

    Args:
        labels: (x, y, z) class indices on the grid of the series, 0 where nothing was found.
        series: that the segmentation was made from; all of them are referenced, the first one frame by frame.
        origin: what made it.

    Returns:
        The object, whose segments 1, 2 and 3 are :data:`SEGMENTS`; 4 is :data:`CAVITY` where ``labels`` have one.
        Frames without a class are left out, unless there is none with one.
    """
    import highdicom

    first, *others = series
    frames = np.ascontiguousarray(np.asarray(labels, dtype=np.uint8).transpose(2, 1, 0))
    segments = (*SEGMENTS, CAVITY) if frames.max(initial=0) > len(SEGMENTS) else SEGMENTS
    with quiet():
        return highdicom.seg.Segmentation(
            source_images=first.headers,
            pixel_array=frames,
            segmentation_type="BINARY",
            segment_descriptions=[_describe(number, segment, origin) for number, segment in enumerate(segments, 1)],
            further_source_images=all_headers(others) or None,
            content_label="GLIOMA",
            content_description=RESEARCH_USE,
            **common_elements(origin, "Glioma segmentation"),
        )


def _describe(number: int, segment: Segment, origin: Origin) -> SegmentDescription:
    import highdicom
    from highdicom.sr import CodedConcept

    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.label,
        segmented_property_category=CodedConcept(*ABNORMAL_STRUCTURE),
        segmented_property_type=CodedConcept(*segment.kind),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name=origin.bundle,
            version=origin.version,
            family=CodedConcept("123110", "DCM", "Artificial Intelligence"),
        ),
        anatomic_regions=[CodedConcept(*BRAIN)],
        display_color=highdicom.color.CIELabColor(*segment.colour),
    )
