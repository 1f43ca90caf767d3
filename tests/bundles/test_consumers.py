"""Each bundle in MONAI Label and in MONAI Deploy gives what ``inferring`` gives; see ``consumers.py``."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from common.errors import DatasetError, find_glioma_error
from common.formats.dicom import read_series
from common.networks.weights.checkpoints import save_weights
from common.packaging.package import make_package
from common.records import MODALITIES
from tests.bundles.consumers import DeployOperator, LabelTask, write_bundle

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

ENCODER = {
    "features": ["age", "resection"],
    "missing_indicators": True,
    "missing_seen": ["resection"],
    "age_range": [20.0, 80.0],
    "mean_age": 50.0,
}
PLAN = {"gap": 6.0, "centre": 0.0, "intensity": "z_score", "orientation": "RAS", "centre_of": "brain"}
SLICES = {"slices": PLAN, "spacing": [1.0, 1.0, 1.0]}
PATIENT = {"age": 61, "resection": "GTR"}
SEGMENTATION, TUMOUR, MGMT = "glioma_segmentation", "brain_tumor_classification", "mgmt_classification"
SURVIVAL, VOLUME = "glioma_survival_classification", "glioma_spatiospatial_classification"


@dataclass(frozen=True)
class Setting:
    """Small networks of a bundle.

    Args:
        bundle: its name.
        knobs: defaults of its inference config, here and at ``inferring``.
        provenance: of the weights.
        params: what a request says of the patient.
    """

    bundle: str
    knobs: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


SMALL = {"backbone": "test_resnet", "image_size": [64, 64]}
SETTINGS = [
    Setting(SEGMENTATION, provenance={"spacing": [1.0, 1.0, 1.0]}),
    Setting("glioma_grade_classification", SMALL, SLICES),
    Setting(SURVIVAL, SMALL, {**SLICES, "encoder": ENCODER, "classes": ["short", "mid", "long"]}, PATIENT),
    Setting(VOLUME, {"backbone": "r3d_10", "volume_size": [24, 24, 24]}),
    Setting(TUMOUR, {"image_size": [64, 64]}),
    Setting(MGMT, SMALL, {"series": {"slices_per_subject": 4, "central_share": 0.6}}),
]
BY_NAME = {setting.bundle: setting for setting in SETTINGS}


@dataclass(frozen=True)
class Placed:
    """A bundle with weights, a patient, and what ``inferring`` says of the patient.

    Args:
        setting: of the bundle.
        root: the bundle's own.
        image: what a viewer opens.
        expected: class indices (x, y, z), or the probability of each class.
    """

    setting: Setting
    root: Path
    image: Path
    expected: Any


@pytest.fixture(scope="module")
def place(
    start: Start,
    write_weights: Callable[..., Path],
    patients: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Placed]:
    """Writes a bundle and applies it by ``inferring``, once."""
    known: dict[str, Placed] = {}

    def place(bundle: str) -> Placed:
        if bundle not in known:
            folder, setting = tmp_path_factory.mktemp(bundle), BY_NAME[bundle]
            weights = torch.load(write_weights(bundle, **setting.knobs), weights_only=True)
            save_weights(folder / "model.pt", weights, {"bundle": bundle, **setting.provenance})
            root = write_bundle(folder, bundle, folder / "model.pt", **setting.knobs)
            known[bundle] = Placed(setting, root, patients[bundle], _infer(start, setting, root, patients[bundle]))
        return known[bundle]

    return place


@pytest.fixture(scope="module")
def patients(
    phantom_dir: Path, images_dir: Path, series_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """What a viewer opens of one patient, for each bundle."""
    brain = next(phantom_dir.rglob("*_001_t1ce.nii.gz"))
    picture = next(images_dir.rglob("yes/*.jpg"))
    series = next(path.parent for path in sorted(series_dir.rglob("*.dcm")) if path.parent.name == "FLAIR")
    patients = dict.fromkeys((setting.bundle for setting in SETTINGS), brain)
    return {**patients, TUMOUR: picture, MGMT: series}


def _infer(start: Start, setting: Setting, root: Path, image: Path, classes: int = 4) -> Any:
    files: dict[str, Any] = {"dataset_dir": None}
    if setting.bundle == TUMOUR:
        files["dataset_dir"] = str(image)
    elif setting.bundle == MGMT:
        files["flair"] = str(image)
    else:
        names = ["t1ce"] if setting.bundle == VOLUME else MODALITIES
        files |= {name: str(image).replace("t1ce", name) for name in names}
    knobs = {**setting.knobs, **setting.params, "device": "cpu", **files}
    start(root, "inference", bundle=setting.bundle, **knobs).run()
    results = root / "eval" / "predictions"
    if setting.bundle == SEGMENTATION:
        stored = np.asanyarray(nib.load(next(results.glob("*_seg.nii.gz"))).dataobj)
        values = [0, 1, 2, 4, 5][:classes]  # BraTS's of 2020, and the next one for a cavity
        assert np.unique(stored).tolist() == values
        return np.searchsorted(values, stored)
    row = pd.read_csv(results / "predictions.csv").iloc[0]
    return {name.removeprefix("p_").lower(): float(row[name]) for name in row.index if name.startswith("p_")}


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize("bundle", BY_NAME)
def test_monai_label_answers_as_inferring_does(
    bundle: str, place: Callable[[str], Placed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a folder of its own, in which it writes nothing; of two requests, the second gets its own answer."""
    placed = place(bundle)
    monkeypatch.chdir(tmp_path)
    before = files_in(placed.root)
    task = LabelTask(placed.root)
    for _ in range(2):
        if bundle == SEGMENTATION:
            labels, affine = task.label_map(str(placed.image))
            np.testing.assert_array_equal(labels, placed.expected)
            np.testing.assert_allclose(affine, nib.load(placed.image).affine)
            assert (task.labels, task.dimension) == ({"ncr": 1, "ed": 2, "et": 3}, 3)
        else:
            shares = task.probabilities(str(placed.image), **placed.setting.params)
            assert shares == pytest.approx(placed.expected, abs=1e-4)
    assert files_in(placed.root) == before
    assert not list(tmp_path.iterdir())


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's entries of ``sys.path`` end with the test."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.mark.parametrize("bundle", BY_NAME)
def test_monai_deploy_answers_as_inferring_does(bundle: str, place: Callable[[str], Placed]) -> None:
    placed = place(bundle)
    check_deploy(DeployOperator(placed.root, bundle_root=str(placed.root)), placed)


@pytest.mark.parametrize("bundle", BY_NAME)
def test_a_package_needs_no_bundle_root_in_monai_deploy(
    bundle: str, place: Callable[[str], Placed], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started where another bundle's weights lie, after a package of another bundle was opened."""
    placed = place(bundle)
    package = make_package(placed.root, tmp_path / "dist", exports=False).folder
    other = next(name for name in BY_NAME if name != bundle)
    for folder in (tmp_path / "here" / other, tmp_path / "opened" / other):
        (folder / "models").mkdir(parents=True)
        (folder / "configs").mkdir()
        (folder / "models" / "model.pt").write_text("of another bundle")
    monkeypatch.syspath_prepend(str(tmp_path / "opened" / other))
    monkeypatch.chdir(tmp_path / "here" / other)
    check_deploy(DeployOperator(package), placed)


def check_deploy(operator: DeployOperator, placed: Placed) -> None:
    result = operator.compute(*_in_memory(placed), **placed.setting.params)
    if placed.setting.bundle == SEGMENTATION:
        np.testing.assert_array_equal(result[0], placed.expected)
        assert result.dtype == np.uint8
    else:
        assert result.tolist() == pytest.approx(list(placed.expected.values()), abs=1e-4)


def test_weights_with_a_cavity_class_bring_it_along(
    start: Start, patients: dict[str, Path], write_weights: Callable[..., Path], tmp_path: Path
) -> None:
    """Nothing is set: network, values, names and table follow the classes that the weights record."""
    weights = torch.load(write_weights(SEGMENTATION, cavity="region"), weights_only=True)
    provenance = {"bundle": SEGMENTATION, "classes": ["NCR", "ED", "ET", "RC"], "spacing": [1.0, 1.0, 1.0]}
    save_weights(tmp_path / "model.pt", weights, provenance)
    root = write_bundle(tmp_path, SEGMENTATION, tmp_path / "model.pt")
    setting = Setting(SEGMENTATION)
    expected = _infer(start, setting, root, patients[SEGMENTATION], classes=5)
    assert "RC_ml" in pd.read_csv(root / "eval" / "predictions" / "volumes.csv")

    package = make_package(root, tmp_path / "dist", exports=False).folder
    task = LabelTask(package)
    labels, _ = task.label_map(str(patients[SEGMENTATION]))
    np.testing.assert_array_equal(labels, expected)
    assert task.labels == {"ncr": 1, "ed": 2, "et": 3, "rc": 4}
    check_deploy(DeployOperator(package), Placed(setting, package, patients[SEGMENTATION], expected))
    assert ConfigParser.load_config_file(package / "configs" / "train.yaml")["cavity"] == "region"


def _in_memory(placed: Placed) -> tuple[np.ndarray, np.ndarray, Any]:
    """As an operator before it loads the patient: channels last where there are several."""
    if placed.setting.bundle == TUMOUR:
        return np.asarray(Image.open(placed.image).convert("L")).T, np.eye(4), "no_channel"
    if placed.setting.bundle == MGMT:
        series = read_series(placed.image)
        return series.array, series.affine, "no_channel"
    one = nib.load(placed.image)
    if placed.setting.bundle == VOLUME:
        return np.asanyarray(one.dataobj), one.affine, "no_channel"
    paths = [str(placed.image).replace("t1ce", name) for name in MODALITIES]
    return np.stack([np.asanyarray(nib.load(path).dataobj) for path in paths], axis=-1), one.affine, -1


def test_the_age_of_a_request_reaches_the_network(place: Callable[[str], Placed]) -> None:
    placed = place(SURVIVAL)
    task = LabelTask(placed.root)
    young = task.probabilities(str(placed.image), age=30, resection="GTR")
    old = task.probabilities(str(placed.image), age="80", resection="STR")
    assert max(abs(young[name] - old[name]) for name in young) > 1e-3


@pytest.mark.parametrize("params", [{}, {"age": 61}, {"resection": "GTR"}, {"age": "NA", "resection": "GTR"}])
def test_there_is_no_survival_without_its_values(params: dict[str, Any], place: Callable[[str], Placed]) -> None:
    placed = place(SURVIVAL)
    with pytest.raises(DatasetError, match=r"no (age|resection) is given"):
        LabelTask(placed.root).infer(str(placed.image), **params)
    with pytest.raises(RuntimeError) as caught:  # MONAI's Compose wraps it
        DeployOperator(placed.root, bundle_root=str(placed.root)).compute(*_in_memory(placed), **params)
    assert re.search(r"no (age|resection) is given", str(find_glioma_error(caught.value)))


def test_a_nifti_file_of_a_series_answers_as_the_series(place: Callable[[str], Placed], tmp_path: Path) -> None:
    placed = place(MGMT)
    series = read_series(placed.image)
    nib.save(nib.Nifti1Image(series.array, series.affine), tmp_path / "scan.nii.gz")
    shares = LabelTask(placed.root).probabilities(str(tmp_path / "scan.nii.gz"))
    assert shares == pytest.approx(placed.expected, abs=1e-4)


def test_one_volume_is_enough_for_a_network_of_one_modality(place: Callable[[str], Placed], tmp_path: Path) -> None:
    placed = place(VOLUME)
    shutil.copy(placed.image, tmp_path / "scan.nii.gz")
    shares = LabelTask(placed.root).probabilities(str(tmp_path / "scan.nii.gz"))
    assert shares == pytest.approx(placed.expected, abs=1e-4)


@pytest.mark.parametrize("bundle", BY_NAME)
@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"subject": "../../../../escaped"}, "Files are named by it"),
        ({"flair": "/etc/passwd"}, "a file of its own was given for flair"),
    ],
)
def test_what_a_request_must_not_name(
    bundle: str, params: dict[str, str], told: str, place: Callable[[str], Placed]
) -> None:
    placed = place(bundle)
    with pytest.raises(DatasetError, match=told):
        LabelTask(placed.root).infer(str(placed.image), **placed.setting.params, **params)


def test_a_file_that_came_without_its_siblings_is_refused(place: Callable[[str], Placed], tmp_path: Path) -> None:
    placed = place(SEGMENTATION)
    shutil.copy(placed.image, tmp_path / "upload.nii.gz")
    with pytest.raises(DatasetError, match="reads flair, t1, t1ce, t2"):
        LabelTask(placed.root).infer(os.fspath(tmp_path / "upload.nii.gz"))
