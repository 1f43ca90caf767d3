"""From a study to a bundle's prediction, and from that to a DICOM object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.data import MetaTensor
from numpy.typing import NDArray

from common.errors import DatasetError, GliomaError, Problem
from common.studies.applied_bundle import AppliedBundle
from common.studies.report import make_report
from common.studies.segmentation import make_segmentation
from common.studies.study import Study
from common.studies.voxels import read_slices, read_voxels
from common.transforms.clinical import refuse_unused
from common.transforms.loading import CHANNEL_FIRST

if TYPE_CHECKING:
    from pydicom import Dataset

NAMELESS = "the study"


@dataclass(frozen=True)
class Prediction:
    """What a bundle says of a study: one of the three.

    Args:
        labels: (x, y, z) class indices of a segmentation, on the grid of the series.
        probabilities: of each class, of the patient.
        of_slices: of each class, of each slice of the series in its order.
    """

    labels: NDArray[np.integer] | None = None
    probabilities: Mapping[str, float] | None = None
    of_slices: Sequence[Mapping[str, float]] = ()


def predict_study(bundle: AppliedBundle, study: Study, clinical: Mapping[str, Any] | None = None) -> Prediction:
    """Apply a bundle to a study.

    Args:
        bundle: with its weights.
        study: with the series of the bundle's modalities.
        clinical: ``age`` in years and ``resection`` (GTR or STR), where they are known.

    Raises:
        DatasetError: the series are not as the bundle needs them, or a clinical value is missing or invalid.
        KnobError: a clinical value is given that the network does not read.
    """
    refuse_unused(clinical, bundle.encoder)
    item: dict[str, Any] = {"subject": NAMELESS, **(clinical or {})}
    if bundle.data_type == "jpg":
        return Prediction(of_slices=[_named(bundle, {**item, "image": picture}) for picture in _pictures(study)])
    voxels, affine = read_voxels(study.series, brain_alone=bundle.data_type == "nibabel")
    item["image"] = MetaTensor(torch.from_numpy(voxels), affine=torch.from_numpy(affine), meta={**CHANNEL_FIRST})
    if bundle.classes is None:
        return Prediction(labels=np.asarray(bundle(item)["pred"])[0])
    return Prediction(probabilities=_named(bundle, item))


def make_result(bundle: AppliedBundle, study: Study, prediction: Prediction) -> Dataset:
    """The prediction as a DICOM SEG object where it is a segmentation, else as a structured report.

    Raises:
        DatasetError: the study's headers do not allow one.
    """
    try:
        return _make_result(bundle, study, prediction)
    except (GliomaError, MemoryError):
        raise
    except Exception as error:  # what pydicom and highdicom raise quotes the headers
        what = f"its headers are not such that a DICOM object can be made of them ({type(error).__name__})"
        raise DatasetError(Problem(what, NAMELESS, "Export the study again, or check it with dciodvfy.")) from None


def _make_result(bundle: AppliedBundle, study: Study, prediction: Prediction) -> Dataset:
    if prediction.labels is not None:
        return make_segmentation(prediction.labels, study.series, bundle.origin())
    return make_report(study.series, bundle.origin(), prediction.probabilities, prediction.of_slices)


def _pictures(study: Study) -> Iterator[MetaTensor]:
    for picture in read_slices(study.series[0]):
        yield MetaTensor(torch.from_numpy(picture.T[None].copy()), meta={**CHANNEL_FIRST})


def _named(bundle: AppliedBundle, item: Mapping[str, Any]) -> dict[str, float]:
    probabilities = np.asarray(bundle(item)["pred"], dtype=float).tolist()
    return dict(zip(bundle.classes or (), probabilities, strict=True))
