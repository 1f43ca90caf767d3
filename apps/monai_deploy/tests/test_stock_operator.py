"""The SDK's own bundle operator, as another application would use it, on an image with all channels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monai.deploy.core import Fragment, Image, IOType
from monai.deploy.operators.monai_bundle_inference_operator import (
    BundleConfigNames,
    IOMapping,
    MonaiBundleInferenceOperator,
)

from common.packaging.package import make_package
from common.studies import AppliedBundle, predict_study, read_rules, read_slices, read_study, read_voxels
from tests.studies.small_bundles import SMALL

APP = Path(__file__).resolve().parents[1]
SLICE = 12
WITHOUT_CLINICAL = sorted(set(SMALL) - {"glioma_survival_classification"})
"""The operator passes images and nothing else, so survival needs an application of its own."""


class Port:
    """What an application passes between operators."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def receive(self, name: str) -> Any:
        return self.values[name]

    def emit(self, value: Any, name: str) -> None:
        self.values[name] = value


class Context:
    """An application without models of its own."""

    models = None


@pytest.fixture
def package(name: str, bundles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the bundle; the process is somewhere else, and what the operator adds to ``sys.path`` ends with the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return make_package(bundles / name, tmp_path / "dist").folder


@pytest.mark.parametrize("name", WITHOUT_CLINICAL)
def test_it_says_of_a_package_what_our_application_says_of_the_bundle(
    name: str, package: Path, bundles: Path, dicom: Path
) -> None:
    """With the TorchScript of the package. The operator leaves ``bundle_root`` at the config's own."""
    bundle = AppliedBundle(bundles / name)
    study = read_study(dicom, read_rules(APP / "series_rules.json"), bundle.modalities)
    operator = MonaiBundleInferenceOperator(
        Fragment(),
        app_context=Context(),
        input_mapping=[IOMapping("image", Image, IOType.IN_MEMORY)],
        output_mapping=[IOMapping("pred", dict, IOType.IN_MEMORY)],
        bundle_path=package,
        bundle_config_names=BundleConfigNames(config_names=["inference"]),
        name="stock",
    )
    voxels, affine = read_voxels(study.series)
    array = np.moveaxis(voxels, 0, -1)
    if bundle.data_type == "jpg":
        array = read_slices(study.series[0])[SLICE].T[..., None]
    geometry = {"affine": affine, "original_affine": affine, "spacing": [1, 1, 1], "original_channel_dim": -1}
    answer = Port()
    operator.compute(Port(image=Image(array, metadata=geometry)), answer, None)
    found, expected = answer.values["pred"], predict_study(bundle, study)
    if expected.labels is not None:
        np.testing.assert_array_equal(found.asnumpy().transpose(2, 1, 0), expected.labels)
    else:
        wanted = expected.probabilities or expected.of_slices[SLICE]
        np.testing.assert_allclose(found["probabilities"], list(wanted.values()), rtol=0, atol=1e-4)
