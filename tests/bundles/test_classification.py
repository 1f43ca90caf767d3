"""The classification networks, in process: train, break off, resume, evaluate, predict; both recipes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from common.errors import CheckpointError, DatasetError, KnobError, SplitLeakageError
from common.networks import SegmentationUNet, save_weights
from common.phantoms.layouts.brats2020 import make_brats_phantoms
from tests.bundles.lifecycle import assert_same_runs, interrupt, load, refused

Start = Callable[..., Any]

GRADE, SURVIVAL = "glioma_grade_classification", "glioma_survival_classification"
RUNS = {"grade": (GRADE, "train"), "survival": (SURVIVAL, "train"), "masks": (SURVIVAL, "train_masks")}
WEIGHTS = {"grade": "model", "survival": "model", "masks": "model_masks"}
RESULTS = {"grade": "eval", "survival": "eval", "masks": "eval/masks"}
INFERENCE = {"train": "inference", "train_masks": "inference_masks"}
SMALL = {
    "folds": 4,
    "backbone": "resnet18",
    "image_size": [64, 64],
    "slice_gap": 6,
    "samples_per_epoch": 16,
    "batch_size": 8,
    "seed": 1,
}
"""Heads of these phantoms are 40 mm high."""


@pytest.fixture(scope="module")
def begin(start: Start, classifiable: Path) -> Start:
    """Like ``start``, on this cohort and for one of :data:`RUNS`: ``begin(folder, "masks", "evaluate", epochs=2)``."""

    def begin(folder: Path, run: str, *overlays: str, config: str | None = None, **settings: Any) -> Any:
        bundle, train = RUNS[run]
        from monai.bundle import ConfigParser

        configs = (config or train, *overlays)
        root = Path(__file__).resolve().parents[2] / "bundles" / bundle / "configs"
        known = ConfigParser.load_config_files([str(root / f"{name}.yaml") for name in configs])
        small = {name: value for name, value in SMALL.items() if name in known}
        return start(folder, *configs, bundle=bundle, **{"dataset_dir": str(classifiable), **small, **settings})

    return begin


@pytest.fixture(scope="module", params=RUNS)
def trained(request: pytest.FixtureRequest, begin: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A run of two epochs: its name and its folder."""
    folder = tmp_path_factory.mktemp(request.param)
    begin(folder, request.param, epochs=2, lr_step=1).run()
    return request.param, folder


@pytest.fixture(scope="module")
def evaluated(begin: Start, trained: tuple[str, Path]) -> tuple[str, Path]:
    run, folder = trained
    begin(folder, run, "evaluate").run()
    return trained


def test_a_resumed_run_equals_an_unbroken_one(begin: Start, trained: tuple[str, Path], tmp_path: Path) -> None:
    run, folder = trained
    broken = begin(tmp_path, run, epochs=2, lr_step=1)
    interrupt(broken, 3)  # the second epoch's first step
    assert load(tmp_path / "models" / f"{WEIGHTS[run]}_last.pt")["epoch"] == 1
    begin(tmp_path, run, resume="true", epochs=2, lr_step=1).run()
    assert_same_runs(folder, tmp_path, (f"{WEIGHTS[run]}.pt", f"{WEIGHTS[run]}_last.pt"))


def test_an_evaluation_judges_every_test_patient_once(evaluated: tuple[str, Path]) -> None:
    run, folder = evaluated
    results = folder / RESULTS[run]
    rows = pd.read_csv(results / "predictions.csv")
    judged = set(json.loads((results / "split.json").read_text())["test"])
    assert rows["subject"].is_unique
    assert set(rows["subject"]) <= judged  # a censored patient may have no class
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["task"] == "classification"
    assert metrics["patients"] == len(rows)
    truth, predicted = rows["truth"], rows["predicted"]
    assert metrics["measures"]["accuracy"]["mean"] == pytest.approx((truth == predicted).mean())
    assert set(metrics["baselines"]) >= {"majority class"}
    page = (results / "report.html").read_text()
    assert "phantom" in page
    assert all(subject in page for subject in rows["subject"])


def test_inference_says_of_a_patient_what_the_evaluation_said(
    begin: Start, evaluated: tuple[str, Path], classifiable: Path, tmp_path: Path
) -> None:
    """From files to probabilities by another path: they must agree."""
    run, folder = evaluated
    rows = pd.read_csv(folder / RESULTS[run] / "predictions.csv", index_col="subject")
    subject = str(rows.index[0])
    (patient,) = classifiable.rglob(subject)
    weights = str(folder / "models" / f"{WEIGHTS[run]}.pt")
    config = INFERENCE[RUNS[run][1]]
    clinical = {} if run == "grade" else clinical_values(classifiable, subject, with_resection=run == "survival")
    files = {} if run == "grade" else files_of(patient, run)
    where = {"dataset_dir": str(patient)} if run == "grade" else {"dataset_dir": None, **files, "subject": subject}
    begin(tmp_path, run, config=config, checkpoint=weights, output_dir=str(tmp_path), **where, **clinical).run()
    found = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    columns = [name for name in rows.columns if name.startswith("p_")]
    assert len(columns) in (2, 3)
    np.testing.assert_allclose(
        found.loc[subject, columns].astype(float), rows.loc[subject, columns].astype(float), atol=1e-4
    )
    told = json.loads((tmp_path / "predictions.json").read_text())
    assert subject in json.dumps(told)


def clinical_values(classifiable: Path, subject: str, with_resection: bool) -> dict[str, Any]:
    (table,) = classifiable.rglob("survival_info.csv")
    row = pd.read_csv(table, index_col="Brats20ID", keep_default_na=False).loc[subject]
    resection = {"resection": row["Extent_of_Resection"]} if row["Extent_of_Resection"] != "NA" else {}
    return {"age": float(row["Age"]), **(resection if with_resection else {})}


def files_of(patient: Path, run: str) -> dict[str, str]:
    names = ("seg",) if run == "masks" else ("flair", "t1", "t1ce", "t2")
    return {name: str(next(patient.glob(f"*_{name}.nii.gz"))) for name in names}


def test_patients_that_were_trained_on_are_not_judged_unasked(
    begin: Start, trained: tuple[str, Path], tmp_path: Path
) -> None:
    run, folder = trained
    other = {"seed": 3, "checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"), "output_dir": str(tmp_path)}
    assert isinstance(refused(begin, folder, run, "evaluate", **other), SplitLeakageError)


def test_other_settings_than_in_training_are_named(begin: Start, trained: tuple[str, Path], tmp_path: Path) -> None:
    run, folder = trained
    settings = {
        "checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"),
        "output_dir": str(tmp_path),
        "units": [16, 16],
    }
    error = refused(begin, folder, run, config=INFERENCE[RUNS[run][1]], **settings)
    assert isinstance(error, CheckpointError)
    assert "--units" in str(error)


def test_clinical_values_whose_absence_predicts_the_grade_are_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "grade", clinical="true")
    assert isinstance(error, KnobError)
    assert "--allow_shortcut" in str(error)
    assert "LGG" in str(error)
    assert not list((tmp_path / "models").glob("*.pt"))


def test_with_the_explicit_word_the_report_claims_nothing(begin: Start, tmp_path: Path) -> None:
    settings = {"clinical": "true", "allow_shortcut": "true", "epochs": 1}
    begin(tmp_path, "grade", **settings).run()
    begin(tmp_path, "grade", "evaluate", **settings).run()
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert metrics["baselines"]["missing values alone"]["auc"]["mean"] == 1
    assert "no evidence" in (tmp_path / "eval" / "report.html").read_text()


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


def test_a_missing_age_is_an_error_and_never_zero(
    begin: Start, trained: tuple[str, Path], classifiable: Path, tmp_path: Path
) -> None:
    run, folder = trained
    if run == "grade":
        pytest.skip("looks at images alone")
    (patient,) = classifiable.rglob("BraTS20_Training_001")
    settings = {
        "checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"),
        "output_dir": str(tmp_path),
        "dataset_dir": None,
    }
    error = refused(begin, folder, run, config=INFERENCE[RUNS[run][1]], **settings, **files_of(patient, run))
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
    begin: Start, trained: tuple[str, Path], classifiable: Path, tmp_path: Path
) -> None:
    run, folder = trained
    if run != "masks":
        pytest.skip("reads images")
    segmentation = tmp_path / "segmentation.pt"
    provenance = {
        "bundle": "glioma_segmentation",
        "protocol": "patient",
        "training_subjects": [],
        "validation_subjects": [],
    }
    save_weights(segmentation, SegmentationUNet().state_dict(), provenance)
    weights = str(folder / "models" / f"{WEIGHTS[run]}.pt")
    settings = {
        "segmentation": str(segmentation),
        "checkpoint": weights,
        "output_dir": str(tmp_path / "run"),
        "split_file": str(folder / RESULTS[run] / "split.json"),
    }
    begin(folder, run, "evaluate", "evaluate_from_images", **settings).run()
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["votes"]
    (patient,) = classifiable.rglob("BraTS20_Training_001")
    files = {"dataset_dir": None, "age": 61, **files_of(patient, "images")}
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


def test_weights_are_judged_on_another_cohort(
    begin: Start, trained: tuple[str, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """There is no training side there: classes and scales are those that the weights were trained with."""
    run, folder = trained
    other = tmp_path / "other"
    make_brats_phantoms(other, patients=6, shape=(48, 48, 40), seed=7, lgg_clinical=True)
    for patient in other.rglob("BraTS20_Training_*"):
        if patient.is_dir():
            rename_patient(patient)
    for table in other.rglob("*.csv"):
        table.write_text(table.read_text().replace("Training_0", "Training_9"))
    settings = {"dataset_dir": str(other), "split_method": "external", "output_dir": str(tmp_path / "run")}
    weights = str(folder / "models" / f"{WEIGHTS[run]}.pt")
    begin(folder, run, "evaluate", checkpoint=weights, **settings).run()
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


def test_a_folder_with_patients_without_an_age_is_refused_before_anything_is_written(
    begin: Start, trained: tuple[str, Path], tmp_path: Path
) -> None:
    run, folder = trained
    if run == "grade":
        pytest.skip("looks at images alone")
    settings = {"checkpoint": str(folder / "models" / f"{WEIGHTS[run]}.pt"), "output_dir": str(tmp_path / "results")}
    error = refused(begin, folder, run, config=INFERENCE[RUNS[run][1]], **settings)
    assert isinstance(error, DatasetError)
    assert "and 1 more" in str(error)  # six LGG, five of them by name
    assert not (tmp_path / "results").exists()
