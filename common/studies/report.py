"""A classification as a DICOM structured report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from common.studies.quiet import quiet
from common.studies.results import OWN_CODES, RESEARCH_USE, Origin, all_headers, common_elements
from common.studies.study import StudySeries

if TYPE_CHECKING:
    from highdicom.sr import CodedConcept
    from pydicom import Dataset

Probabilities = Mapping[str, float]
DIGITS = 6


def make_report(
    series: Sequence[StudySeries],
    origin: Origin,
    probabilities: Probabilities | None = None,
    of_slices: Sequence[Probabilities] = (),
) -> Dataset:
    """Make a Comprehensive SR document: what was predicted, by what, from which series.

    Args:
        series: that were read; each of their images is evidence.
        origin: what made the prediction.
        probabilities: of each class, of the patient.
        of_slices: probabilities of each class for each slice of the first series, in its order; each refers to its
            image.
    """
    import highdicom
    from highdicom.sr import ComprehensiveSR, ContainerContentItem, ContentSequence

    with quiet():
        root = ContainerContentItem(name=_own("prediction", "Prediction, for research use only"))
        context = highdicom.sr.ObserverContext(
            observer_type=highdicom.sr.CodedConcept("121007", "DCM", "Device"),
            observer_identifying_attributes=highdicom.sr.DeviceObserverIdentifyingAttributes(
                uid=origin.uid, name=origin.bundle, model_name=f"{origin.bundle} {origin.version}"
            ),
        )
        root.ContentSequence = ContentSequence(
            [*context, *_texts(origin), *_sources(series), *_numbers(probabilities or {}), *_slices(series, of_slices)]
        )
        return ComprehensiveSR(
            evidence=all_headers(series),
            content=root,
            is_complete=True,
            **common_elements(origin, "Glioma classification"),
        )


def _texts(origin: Origin) -> Iterator[Any]:
    from highdicom.sr import CodedConcept, TextContentItem

    for name, text in (
        (CodedConcept("121106", "DCM", "Comment"), f"{RESEARCH_USE} {origin.intended_use}"),
        (_own("task", "Task"), origin.task),
        (_own("input", "What the input must be"), origin.requirements),
    ):
        yield TextContentItem(name=name, value=text, relationship_type="CONTAINS")


def _sources(series: Sequence[StudySeries]) -> Iterator[Any]:
    from highdicom.sr import UIDRefContentItem

    for one in series:
        yield UIDRefContentItem(
            name=_own(f"source-{one.modality}", f"Source series, {one.modality}"),
            value=one.headers[0].SeriesInstanceUID,
            relationship_type="CONTAINS",
        )


def _numbers(probabilities: Probabilities) -> Iterator[Any]:
    from highdicom.sr import CodedConcept, NumContentItem

    for name, value in probabilities.items():
        yield NumContentItem(
            name=_own(f"p-{name}", f"Probability of {name}"),
            value=round(float(value), DIGITS),
            unit=CodedConcept("1", "UCUM", "no units"),
            relationship_type="CONTAINS",
        )


def _slices(series: Sequence[StudySeries], of_slices: Sequence[Probabilities]) -> Iterator[Any]:
    from highdicom.sr import CodedConcept, ContentSequence, ImageContentItem

    if not of_slices:
        return
    for header, probabilities in zip(series[0].headers, of_slices, strict=True):
        for number in _numbers(probabilities):
            number.ContentSequence = ContentSequence(
                [
                    ImageContentItem(
                        name=CodedConcept("121112", "DCM", "Source of Measurement"),
                        referenced_sop_class_uid=header.SOPClassUID,
                        referenced_sop_instance_uid=header.SOPInstanceUID,
                        relationship_type="INFERRED FROM",
                    )
                ]
            )
            yield number


def _own(value: str, meaning: str) -> CodedConcept:
    from highdicom.sr import CodedConcept

    return CodedConcept(value, OWN_CODES, meaning)
