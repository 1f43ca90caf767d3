"""Grade and survival, in process: what they refuse, both recipes, other cohorts. Their life is in test_life_cycle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from common.errors import CheckpointError, DatasetError, KnobError
from common.networks import SegmentationUNet, save_weights
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.records import MODALITIES
from common.reports.classification.verdict import NO_EVIDENCE
from tests.bundles.lifecycle import CASES, files_of, load, refused

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

AS_P3 = {"settings": {"standardise_by": "slice"}, "slice_size": [64, 64]}
"""What weights of P3's segmentation record of their images."""

WEIGHTS = {name: CASES[name].weights for name in ("grade", "survival", "masks")}
INFERENCE = {name: CASES[name].config.replace("train", "inference") for name in WEIGHTS}
of_survival = pytest.mark.parametrize("run", ["survival", "masks"])


@pytest.fixture(scope="session")
def begin(begin_case: Start) -> Start:
    """Like ``start``, for a case: ``begin(folder, "masks", "evaluate", epochs=2)``."""

    def begin(folder: Path, run: str, *overlays: str, **settings: Any) -> Any:
        return begin_case(run, folder, *overlays, **settings)

    return begin


@pytest.mark.parametrize("run", WEIGHTS)
def test_other_settings_than_in_training_are_named(begin: Start, live: Any, run: str, tmp_path: Path) -> None:
    _, folder = live(run)
    settings = {
        "checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"),
        "output_dir": str(tmp_path),
        "units": [16, 16],
    }
    error = refused(begin, folder, run, config=INFERENCE[run], **settings)
    assert isinstance(error, CheckpointError)
    assert "--units" in str(error)


@pytest.mark.parametrize(
    ("run", "other"),
    [
        ("grade", {"slice_gap": 7}),
        ("mgmt", {"central_share": 0.9}),
        ("segmentation", {"modalities": ["t2", "t1ce", "t1", "flair"]}),
    ],
)
def test_an_evaluation_looks_at_the_slices_and_channels_of_training(
    begin: Start, live: Any, run: str, other: dict[str, Any], tmp_path: Path
) -> None:
    _, folder = live(run)
    given = {"checkpoint": str(folder / "models" / "model.pt"), "output_dir": str(tmp_path)}
    error = refused(begin, folder, run, "evaluate", **given, **other)
    assert isinstance(error, CheckpointError)
    assert f"--{next(iter(other))}" in str(error)


def test_clinical_values_whose_absence_predicts_the_grade_are_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "grade", clinical="true")
    assert isinstance(error, KnobError)
    assert "--allow_shortcut" in str(error)
    assert "LGG" in str(error)
    assert not list((tmp_path / "models").glob("*.pt"))


def test_where_only_missing_values_predict_the_grade_the_suite_says_so(begin: Start, tmp_path: Path) -> None:
    """These tumours know nothing of the grade, whichever way the network is run."""
    blind = tmp_path / "blind"
    make_brats_phantoms(blind, patients=24, shape=(48, 48, 40), blind_grade=True)
    given = {"clinical": "true", "allow_shortcut": "true"}
    for name, settings in (("images", {}), ("values", given)):
        run = {"dataset_dir": str(blind), "epochs": 1, **settings}
        begin(tmp_path / name, "grade", **run).run()
        begin(tmp_path / name, "grade", "evaluate", **run).run()
        metrics = json.loads((tmp_path / name / "eval" / "metrics.json").read_text())
        assert any("age is recorded predicts the grade" in warning for warning in metrics["shortcuts"]["warnings"])
        assert metrics["baselines"]["missing values alone"]["auc"]["mean"] == 1
        assert metrics["verdict"]["claim"] is False
        page = (tmp_path / name / "eval" / "report.html").read_text()
        assert "Nothing is claimed." in page
        assert "age is recorded predicts the grade" in page
        assert (NO_EVIDENCE in page) == (name == "values")  # a network that is not given them cannot have used them


@of_survival
def test_a_missing_age_is_an_error_and_never_zero(
    begin: Start, live: Any, run: str, classifiable: Path, tmp_path: Path
) -> None:
    _, folder = live(run)
    (patient,) = classifiable.rglob("BraTS20_Training_001")
    names = ("seg",) if run == "masks" else MODALITIES
    settings = {
        "checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"),
        "output_dir": str(tmp_path),
        "dataset_dir": None,
    }
    error = refused(begin, folder, run, config=INFERENCE[run], **settings, **files_of(patient, *names))
    assert isinstance(error, DatasetError)
    assert "--age" in str(error)


def test_the_published_grading_splits_images_and_says_so(begin: Start, tmp_path: Path) -> None:
    settings = {"pretrained": False, "trainable": "all", "epochs": 1, "samples_per_epoch": 16}
    begin(tmp_path, "grade", "paper", **settings).run()
    split = json.loads((tmp_path / "eval" / "paper" / "split.json").read_text())
    sides = {side: set(split[side]) for side in ("train", "validation", "test")}
    assert sum(map(len, sides.values())) == 4 * 12  # six HGG and six LGG, four modalities each
    patients = {side: {unit.rpartition("#")[0] for unit in units} for side, units in sides.items()}
    assert patients["train"] & patients["test"]
    begin(tmp_path, "grade", "paper", "evaluate", **settings).run()
    metrics = json.loads((tmp_path / "eval" / "paper" / "metrics.json").read_text())
    assert metrics["protocol"] == "paper"
    assert "both sides" in (tmp_path / "eval" / "paper" / "report.html").read_text()


def test_the_published_survival_classes_need_the_invented_patients(begin: Start, tmp_path: Path) -> None:
    thresholds = {"thresholds": [365, 1826], "output_dir": str(tmp_path)}
    error = refused(begin, tmp_path, "survival", **thresholds)
    assert isinstance(error, DatasetError)
    assert "long" in str(error)
    settings = {"pretrained": False, "trainable": "all", "epochs": 1, "samples_per_epoch": 16}
    begin(tmp_path, "survival", "paper", **settings).run()
    assert len(load(tmp_path / "models" / "paper.pt")["provenance"]["classes"]) == 3


def test_the_published_vote_is_over_test_slices(begin: Start, tmp_path: Path) -> None:
    settings = {"pretrained": False, "epochs": 1, "samples_per_epoch": 16}
    begin(tmp_path, "masks", "paper_masks", **settings).run()
    begin(tmp_path, "masks", "paper_masks", "evaluate", **settings).run()
    folder = tmp_path / "eval" / "paper_masks"
    split = json.loads((folder / "split.json").read_text())
    samples = pd.read_csv(folder / "samples.csv")
    assert len(samples) == len(split["test"])
    votes = {row["counted"]: row for row in json.loads((folder / "metrics.json").read_text())["votes"]}
    assert votes["all slices"]["n"] == len(samples)
    assert votes["slices with tumour"]["n"] == votes["majority vote, slices counted"]["n"] == samples["tumour"].sum()
    assert votes["majority vote, patients counted"]["n"] == samples["subject"].nunique()


def test_masks_of_the_segmentation_bundle_are_read_and_voted_on(
    begin: Start, live: Any, classifiable: Path, tmp_path: Path
) -> None:
    run, folder = live("masks")
    segmentation = tmp_path / "segmentation.pt"
    provenance = {
        "bundle": "glioma_segmentation",
        "protocol": "patient",
        "training_subjects": [],
        "validation_subjects": [],
    }
    save_weights(segmentation, SegmentationUNet(head="deep").state_dict(), {**provenance, **AS_P3})
    weights = str(folder / "models" / f"{WEIGHTS[run]}.pt")
    settings = {
        "segmentation": str(segmentation),
        "checkpoint": weights,
        "output_dir": str(tmp_path / "run"),
        "split_file": str(folder / CASES[run].results / "split.json"),
    }
    begin(folder, run, "evaluate", "evaluate_from_images", empty_slices=True, **settings).run()
    votes = {row["counted"]: row for row in json.loads((tmp_path / "run" / "metrics.json").read_text())["votes"]}
    masks = [np.load(path) for path in (tmp_path / "run" / "masks").glob("*.npy")]
    assert {mask.shape for mask in masks} == {(40, 48, 48)}  # whole slices, as these weights have learned from
    assert votes["all slices"]["n"] == 40 * len(masks)
    assert votes["slices with tumour"]["n"] == sum(mask.any(axis=(1, 2)).sum() for mask in masks)
    (patient,) = classifiable.rglob("BraTS20_Training_001")
    files = {"dataset_dir": None, "age": 61, **files_of(patient, *MODALITIES)}
    begin(
        folder,
        run,
        config="inference_from_images",
        segmentation=str(segmentation),
        checkpoint=weights,
        output_dir=str(tmp_path / "one"),
        **files,
    ).run()
    assert len(pd.read_csv(tmp_path / "one" / "predictions.csv")) == 1


def test_a_slice_outside_the_brain_is_told_with_its_knob(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "grade", slice_gap=30)
    assert isinstance(error, DatasetError)
    assert "--slice_gap" in str(error)


@pytest.mark.parametrize("run", ["grade", "survival"])
def test_weights_are_judged_on_another_cohort(begin: Start, live: Any, run: str, tmp_path: Path) -> None:
    """There is no training side there: classes and scales are those that the weights were trained with."""
    _, folder = live(run)
    other = tmp_path / "other"
    make_brats_phantoms(other, patients=6, shape=(48, 48, 40), seed=7, lgg_clinical=True)
    for patient in other.rglob("BraTS20_Training_*"):
        if patient.is_dir():
            rename_patient(patient)
    for table in other.rglob("*.csv"):
        table.write_text(table.read_text().replace("Training_0", "Training_9"))
    settings = {"dataset_dir": str(other), "split_method": "external", "output_dir": str(tmp_path / "run")}
    weights = str(folder / "models" / f"{WEIGHTS[run]}.pt")
    begin(tmp_path, run, "evaluate", checkpoint=weights, **settings).run()
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    learnt = load(Path(weights))["provenance"]
    assert metrics["classes"] == learnt["classes"]
    assert 1 <= metrics["patients"] <= 6
    assert metrics["verdict"]["claim"] is False


def rename_patient(folder: Path) -> None:
    """Of a patient that the weights were not trained on."""
    name = folder.name.replace("Training_0", "Training_9")
    for file in folder.iterdir():
        file.rename(file.with_name(file.name.replace(folder.name, name)))
    folder.rename(folder.with_name(name))


def test_the_modalities_of_a_patient_vote_where_each_is_a_sample(
    begin: Start, classifiable: Path, tmp_path: Path
) -> None:
    begin(tmp_path, "grade", samples="modality", epochs=1).run()
    begin(tmp_path, "grade", "evaluate", samples="modality").run()
    rows = pd.read_csv(tmp_path / "eval" / "predictions.csv", index_col="subject")
    (patient,) = classifiable.rglob(str(rows.index[0]))
    settings = {"samples": "modality", "dataset_dir": str(patient), "output_dir": str(tmp_path / "one")}
    begin(tmp_path, "grade", config="inference", checkpoint=str(tmp_path / "models" / "model.pt"), **settings).run()
    found = pd.read_csv(tmp_path / "one" / "predictions.csv", index_col="subject")
    assert found["samples"].tolist() == [4]
    assert found["p_HGG"].iloc[0] == pytest.approx(rows["p_HGG"].iloc[0], abs=1e-4)


@of_survival
def test_a_folder_with_patients_without_an_age_is_refused_before_anything_is_written(
    begin: Start, live: Any, run: str, tmp_path: Path
) -> None:
    _, folder = live(run)
    settings = {"checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"), "output_dir": str(tmp_path / "results")}
    error = refused(begin, folder, run, config=INFERENCE[run], **settings)
    assert isinstance(error, DatasetError)
    assert "and 1 more" in str(error)  # six LGG, five of them by name
    assert not (tmp_path / "results").exists()
