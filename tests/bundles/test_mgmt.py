"""MGMT, in process: both recipes, series, what is refused. Its life is in test_life_cycle."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from common.cohorts.datasets.rsna_miccai import KNOWN_BAD
from common.errors import CheckpointError, DatasetError, KnobError
from tests.bundles.lifecycle import load, refused

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

BUNDLE = "mgmt_classification"
PAPER = {"epochs": 1, "pretrained": False, "slices_per_patient": 4}


@pytest.fixture(scope="module")
def begin(start: Start, series_dir: Path) -> Start:
    """Like ``start``, for this bundle and its phantoms: ``begin(folder, "train", "evaluate", epochs=2)``."""

    def begin(folder: Path, *configs: str, **settings: Any) -> Any:
        return start(folder, *configs, bundle=BUNDLE, **{"dataset_dir": str(series_dir), **settings})

    return begin


@pytest.fixture(scope="session")
def trained(live: Callable[[str], tuple[str, Path]]) -> Path:
    """The folder of a run of two epochs that was evaluated."""
    return live("mgmt")[1]


def test_no_patient_stands_on_two_sides(trained: Path) -> None:
    split = json.loads((trained / "eval" / "split.json").read_text())
    sides = [set(split[side]) for side in ("train", "validation", "test")]
    assert [len(side) for side in sides] == [8, 4, 4]
    assert len(set.union(*sides)) == 16
    assert split["stratify_by"] == "mgmt"


def test_a_patient_is_judged_by_the_mean_over_slices(trained: Path) -> None:
    rows = pd.read_csv(trained / "eval" / "predictions.csv", dtype={"subject": str}).set_index("subject")
    slices = pd.read_csv(trained / "eval" / "samples.csv", dtype={"subject": str})
    assert list(rows.index) == json.loads((trained / "eval" / "split.json").read_text())["test"]
    assert (rows["samples"] == 4).all() and len(slices) == 16
    means = slices.groupby("subject")["p_methylated"].mean()
    np.testing.assert_allclose(rows["p_methylated"], means[rows.index])
    methylated = slices.assign(says=slices["p_methylated"] > 0.5).groupby("subject")["says"].mean()
    clear = methylated[methylated != 0.5]
    assert ((clear > 0.5) == (rows.loc[clear.index, "voted"] == "methylated")).all()


def test_the_report_says_whether_chance_is_excluded(trained: Path) -> None:
    metrics = json.loads((trained / "eval" / "metrics.json").read_text())
    area, sentences = metrics["measures"]["auc"], " ".join(metrics["verdict"]["sentences"])
    assert metrics["target"] == "mgmt"
    assert area["low"] <= 0.5 and "chance" in sentences
    assert not metrics["verdict"]["claim"]
    page = (trained / "eval" / "report.html").read_text()
    assert "MGMT promoter methylation: evaluation" in page
    assert "0.870" in page and "0.562" in page  # what P5 and Kim 2022 printed
    assert "phantom" in page


def test_inference_says_of_a_series_folder_what_the_evaluation_said(
    begin: Start, trained: Path, series_dir: Path, tmp_path: Path, drawn: None
) -> None:
    rows = pd.read_csv(trained / "eval" / "predictions.csv", dtype={"subject": str})
    expected = rows.iloc[0]
    patient = series_dir / "train" / expected["subject"]
    where = {"dataset_dir": None, "flair": str(patient / "FLAIR"), "subject": expected["subject"]}
    checkpoint = str(trained / "models" / "model.pt")
    begin(tmp_path, "inference", checkpoint=checkpoint, output_dir=str(tmp_path), gradcam="true", **where).run()
    (found,) = pd.read_csv(tmp_path / "predictions.csv", dtype={"subject": str}).to_dict("records")
    assert found["subject"] == expected["subject"]
    assert found["p_methylated"] == pytest.approx(expected["p_methylated"], abs=1e-4)
    assert (found["predicted"], found["voted"], found["samples"]) == (expected["predicted"], expected["voted"], 4)
    assert (tmp_path / f"{expected['subject']}_gradcam.png").stat().st_size > 5000


def test_a_folder_of_patients_is_predicted_and_gone_on_with(begin: Start, trained: Path, tmp_path: Path) -> None:
    settings = {"checkpoint": str(trained / "models" / "model.pt"), "output_dir": str(tmp_path)}
    begin(tmp_path, "inference", exclude="00003,00004", **settings).run()
    before = pd.read_csv(tmp_path / "predictions.csv", dtype={"subject": str}).set_index("subject")
    assert len(before) == 14
    begin(tmp_path, "inference", resume="true", **settings).run()
    after = pd.read_csv(tmp_path / "predictions.csv", dtype={"subject": str}).set_index("subject")
    assert len(after) == 16
    assert after.loc[before.index].equals(before)


def test_several_modalities_are_channels(begin: Start, tmp_path: Path) -> None:
    several = {"modalities": ["flair", "t1ce", "t2"]}
    begin(tmp_path, "train", epochs=1, **several).run()
    weights = tmp_path / "models" / "model.pt"
    assert load(weights)["model"]["backbone.conv1.0.weight"].shape[1] == 3
    assert load(weights)["provenance"]["series"] == {"slices_per_subject": 4, "central_share": 0.6}
    error = refused(begin, tmp_path, "inference", checkpoint=str(weights), output_dir=str(tmp_path))
    assert isinstance(error, CheckpointError)
    assert '--modalities ["flair","t1ce","t2"]' in str(error)


def test_a_slice_of_each_modality_is_a_sample_of_its_own(begin: Start, series_dir: Path, tmp_path: Path) -> None:
    several = {**PAPER, "modalities": ["flair", "t2"], "samples": "modality"}
    begin(tmp_path, "train", "paper", **several).run()
    split = json.loads((tmp_path / "eval" / "paper" / "split.json").read_text())
    assert len(split["train"]) + len(split["test"]) == 16 * 8  # two series of four slices
    weights = tmp_path / "models" / "paper.pt"
    assert load(weights)["model"]["backbone.conv1.0.weight"].shape[1] == 1
    begin(tmp_path, "train", "paper", "evaluate", **several).run()
    rows = pd.read_csv(tmp_path / "eval" / "paper" / "samples.csv", dtype={"subject": str})
    assert sorted(f"{row.subject}#{row.sample:03d}" for row in rows.itertuples()) == sorted(split["test"])
    patient = series_dir / "train" / rows["subject"][0]
    where = {"dataset_dir": None, "flair": str(patient / "FLAIR"), "t2": str(patient / "T2w"), "subject": "p"}
    chosen = {"modalities": ["flair", "t2"], "samples": "modality", "checkpoint": str(weights)}
    begin(tmp_path, "inference", output_dir=str(tmp_path / "one"), gradcam="true", **where, **chosen).run()
    assert pd.read_csv(tmp_path / "one" / "predictions.csv")["samples"].tolist() == [8]
    error = refused(begin, tmp_path, "inference", output_dir=str(tmp_path / "two"), **{**chosen, "samples": "patient"})
    assert isinstance(error, CheckpointError)
    assert "--samples modality" in str(error)


def test_the_papers_split_is_over_slices_and_reports_the_epoch_that_was_best_on_them(
    begin: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(tmp_path, "train", "paper", **PAPER).run()
    assert "The best epoch is chosen on the test side" in caplog.text
    folder = tmp_path / "eval" / "paper"
    split = json.loads((folder / "split.json").read_text())
    assert (len(split["train"]), len(split["validation"]), len(split["test"])) == (51, 0, 13)
    patients = {side: {unit.rpartition("#")[0] for unit in split[side]} for side in ("train", "test")}
    assert patients["train"] & patients["test"]
    provenance = load(tmp_path / "models" / "paper.pt")["provenance"]
    losses = pd.read_csv(folder / "history.csv")["val_log_likelihood"]
    assert (losses < 0).all()  # the loss of that side is recorded, whatever chooses
    begin(tmp_path, "train", "paper", "evaluate", **PAPER).run()
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["of_samples"]["accuracy"] == pytest.approx(provenance["val_accuracy"])
    assert (metrics["protocol"], metrics["samples"]) == ("paper", 13)
    page = (folder / "report.html").read_text()
    assert "slices of one patient are on both sides" in page
    assert "was chosen on the test side" in page
    assert metrics["weights"]["chosen_on"] == "test"


def test_the_three_bad_patients_are_left_out_and_told(
    begin: Start, series_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "data"
    for subject, source in zip(("00000", "00001", *KNOWN_BAD), sorted((series_dir / "train").iterdir()), strict=False):
        shutil.copytree(source / "FLAIR", root / "train" / subject / "FLAIR")
    labels = "".join(f"{subject},1\n" for subject in ("00000", *KNOWN_BAD))
    (root / "train_labels.csv").write_text(f"BraTS21ID,MGMT_value\n{labels}00001,0\n")
    with caplog.at_level(logging.WARNING):
        error = refused(begin, tmp_path, "train", dataset_dir=str(root), folds=3)
    assert "2 patients cannot fill 3 folds" in str(error)
    assert ", ".join(KNOWN_BAD) in caplog.text


def test_whatever_is_wrong_with_series_comes_as_one_message(begin: Start, series_dir: Path, tmp_path: Path) -> None:
    root = tmp_path / "data"
    shutil.copytree(series_dir, root)
    first, second, third = (sorted((root / "train" / name / "FLAIR").iterdir()) for name in ("00000", "00001", "00002"))
    first[2].write_bytes(first[2].read_bytes()[:700])
    shutil.copy(sorted((root / "train" / "00004" / "FLAIR").iterdir())[0], second[0].with_name("other.dcm"))
    for file in third:
        file.unlink()
    third[0].with_name("notes.txt").write_text("no image")
    error = refused(begin, tmp_path / "run", "train", dataset_dir=str(root), exclude="00002")
    assert isinstance(error, DatasetError)
    assert {problem.where for problem in error.problems} == {str(first[2]), str(second[0].parent)}
    assert "truncated" in str(error) and "holds 2 series" in str(error)
    assert "00002" in str(refused(begin, tmp_path / "run", "train", dataset_dir=str(root)))
    assert not list((tmp_path / "run" / "models").glob("*.pt"))


def test_a_series_that_the_network_does_not_read_is_refused(begin: Start, trained: Path, series_dir: Path) -> None:
    settings = {"checkpoint": str(trained / "models" / "model.pt"), "dataset_dir": None}
    error = refused(begin, trained, "inference", t2=str(series_dir / "train" / "00000" / "T2w"), **settings)
    assert isinstance(error, KnobError)
    assert "t2 is no modality of this network" in str(error)


def test_an_unknown_modality_is_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "train", modalities=["flair", "adc"])
    assert isinstance(error, KnobError)
    assert "adc" in str(error) and "t1ce" in str(error)


def test_shuffled_labels_are_stamped(begin: Start, tmp_path: Path) -> None:
    begin(tmp_path, "train", epochs=1, permute_labels="true").run()
    begin(tmp_path, "train", "evaluate", permute_labels="true").run()
    assert load(tmp_path / "models" / "model.pt")["provenance"]["settings"]["permute_labels"] is True
    assert "shuffled" in (tmp_path / "eval" / "report.html").read_text()
