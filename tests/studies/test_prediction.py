"""Each bundle on a study in memory says what its own ``inferring`` says of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from common.errors import CheckpointError, DatasetError, KnobError
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.dicom_study import make_dicom_studies
from common.studies import AppliedBundle, Prediction, SeriesRule, predict_study, read_slices, read_study
from tests.studies.small_bundles import CLINICAL, SMALL, infer, probabilities_in, write_small_bundle

SHAPE = (64, 64, 24)
VOLUMES = sorted(set(SMALL) - {"brain_tumor_classification", "mgmt_classification"})

Rules = tuple[SeriesRule, ...]


@pytest.fixture(scope="module")
def dicom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dicom_studies(tmp_path_factory.mktemp("dicom"), shape=SHAPE)[0]


@pytest.fixture(scope="module")
def nifti(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same patient."""
    return make_brats_phantoms(tmp_path_factory.mktemp("nifti"), patients=1, shape=SHAPE) / "BraTS20_Training_001"


def predict(root: Path, dicom: Path, rules: Rules, clinical: dict[str, Any] | None = None) -> Prediction:
    bundle = AppliedBundle(root)
    return predict_study(bundle, read_study(dicom, rules, bundle.modalities), clinical)


@pytest.mark.parametrize("name", VOLUMES)
def test_volumes(name: str, tmp_path: Path, dicom: Path, nifti: Path, rules: Rules) -> None:
    root = write_small_bundle(name, tmp_path)
    clinical = CLINICAL.get(name, {})
    modalities = AppliedBundle(root).modalities
    files = {key: str(next(nifti.glob(f"*_{key}.nii.gz"))) for key in modalities}
    wanted = infer(root, tmp_path / "out", **files, **clinical)
    found = predict(root, dicom, rules, clinical)
    if isinstance(wanted, np.ndarray):
        assert set(np.unique(wanted)) > {0}
        np.testing.assert_array_equal(found.labels, wanted)
    else:
        assert found.probabilities == pytest.approx(probabilities_in(wanted[0]), abs=1e-4)


def test_a_series(tmp_path: Path, dicom: Path, rules: Rules) -> None:
    root = write_small_bundle("mgmt_classification", tmp_path)
    wanted = infer(root, tmp_path / "out", flair=str(dicom / "03"))
    assert predict(root, dicom, rules).probabilities == pytest.approx(probabilities_in(wanted[0]), abs=1e-4)


def test_every_slice_as_a_picture(tmp_path: Path, dicom: Path, rules: Rules) -> None:
    """The uppermost slices show no brain; as files they would be refused."""
    root = write_small_bundle("brain_tumor_classification", tmp_path)
    pictures = read_slices(read_study(dicom, rules, ["t1ce"]).series[0])
    found = predict(root, dicom, rules).of_slices
    assert len(found) == len(pictures) == SHAPE[2]
    (tmp_path / "pictures").mkdir()
    shown = [level for level, picture in enumerate(pictures) if picture.any()]
    for level in shown:
        Image.fromarray(pictures[level]).save(tmp_path / "pictures" / f"{level:03d}.png")
    wanted = infer(root, tmp_path / "out", dataset_dir=str(tmp_path / "pictures"))
    assert len(wanted) == len(shown) > SHAPE[2] / 2
    for level, row in zip(shown, wanted, strict=True):
        assert found[level] == pytest.approx(probabilities_in(row), abs=1e-4)


def test_survival_is_not_predicted_without_its_clinical_values(tmp_path: Path, dicom: Path, rules: Rules) -> None:
    root = write_small_bundle("glioma_survival_classification", tmp_path)
    for clinical in ({}, {"age": 61}, {"age": None, "resection": "GTR"}):
        with pytest.raises(DatasetError, match=r"no (age|resection) is given"):
            predict(root, dicom, rules, clinical)
    young, old = (predict(root, dicom, rules, {"age": age, "resection": "GTR"}).probabilities for age in (30, 80))
    assert young != pytest.approx(old, abs=1e-4)


def test_values_that_change_nothing_are_refused(tmp_path: Path, dicom: Path, rules: Rules) -> None:
    root = write_small_bundle("glioma_grade_classification", tmp_path)
    with pytest.raises(KnobError, match="does not read it"):
        predict(root, dicom, rules, {"age": 61})


def test_folders_that_are_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"configs/inference\.yaml is missing"):
        AppliedBundle(tmp_path)
    root = write_small_bundle("mgmt_classification", tmp_path)
    (root / "models" / "model.pt").unlink()
    with pytest.raises(CheckpointError, match="the checkpoint does not exist"):
        AppliedBundle(root)
