"""Segmentation, in process: runs gone on with or written over, stages, the paper's recipe and split."""

from __future__ import annotations

import json
import logging
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from common.errors import CheckpointError, KnobError, OutputError, SplitLeakageError, find_glioma_error
from tests.bundles.lifecycle import load
from tests.facts import in_order

pytestmark = pytest.mark.slow

Start = Callable[..., Any]
Weights = dict[str, torch.Tensor]

TINY = {"epochs": 1, "samples_per_epoch": 4, "device": "cpu"}
CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "glioma_segmentation" / "configs"
LEARNING = {"epochs": 2, "lr_step": 1}
SMALL_SLICES = {"slice_size": [64, 64]}  # the paper's recipe resizes slices to 256 x 256


def equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(torch.equal(weight, other[key]) for key, weight in one.items())


def is_head(key: str) -> bool:
    return ".segmentation_head." in key


@pytest.fixture(scope="module")
def trained(live: Callable[[str], tuple[str, Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a run of two epochs that was evaluated."""
    return Path(shutil.copytree(live("segmentation")[1], tmp_path_factory.mktemp("trained") / "run"))


@pytest.fixture(scope="module")
def stage2(start: Start, trained: Path) -> Path:
    start(trained, "train", "stage2").run()
    return trained / "models" / "model_stage2.pt"


def test_a_resumed_run_equals_an_unbroken_one_with_loader_processes(start: Start, tmp_path: Path) -> None:
    """They live as long as the run, and a resumed run starts new ones."""
    runs = [("resumed", 1), ("resumed", 2), ("unbroken", 2)]
    for name, epochs in runs:
        settings = LEARNING | {"epochs": epochs, "num_workers": 2, "resume": name == "resumed"}
        workflow = start(tmp_path / name, "train", **settings)
        workflow.run()
        # ends the processes; where the garbage collector does, PyTorch waits five seconds for each
        workflow.parser.get_parsed_content("train#dataloader")._iterator = None
    ends = [load(tmp_path / name / "models" / "model_last.pt") for name in ("resumed", "unbroken")]
    assert equal(ends[0]["model"], ends[1]["model"])


def test_the_weights_name_their_epoch_and_score(trained: Path) -> None:
    """Of so few validation patients those of the last epoch are kept."""
    best, last = load(trained / "models" / "model.pt"), load(trained / "models" / "model_last.pt")
    assert best["provenance"]["validation_patients"] < 5
    assert best["provenance"]["val_mean_dice"] <= last["best"]
    assert (best["provenance"]["epoch"], best["provenance"]["kept"]) == (2, "last epoch")
    assert best["provenance"]["protocol"] == "patient"


def test_a_run_leaves_split_versions_and_curves(trained: Path) -> None:
    split = json.loads((trained / "eval" / "split.json").read_text())
    assert [len(split[side]) for side in ("train", "validation", "test")] == [4, 2, 2]
    assert "torch" in json.loads((trained / "eval" / "versions.json").read_text())
    assert list((trained / "eval" / "tensorboard").glob("events.*"))


def test_a_finished_run_that_is_resumed_says_so_and_stays(
    start: Start, trained: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = (trained / "models" / "model_last.pt").read_bytes()
    with caplog.at_level(logging.INFO, logger="common"):
        start(trained, "train", resume=True, **LEARNING).run()
    assert "The run has ended after epoch 2; nothing is left to do." in caplog.text
    assert (trained / "models" / "model_last.pt").read_bytes() == before


def test_a_finished_run_is_not_written_over_unasked(start: Start, trained: Path) -> None:
    before = (trained / "models" / "model.pt").read_bytes()
    with pytest.raises(Exception) as caught:
        start(trained, "train", **LEARNING).run()
    error = find_glioma_error(caught.value)
    assert isinstance(error, OutputError)
    assert "--resume" in str(error)
    assert "--overwrite" in str(error)
    assert (trained / "models" / "model.pt").read_bytes() == before


def test_a_run_is_written_over_on_request(start: Start, tmp_path: Path) -> None:
    for name in ("model.pt", "model_last.pt"):
        (tmp_path / "models").mkdir(exist_ok=True)
        (tmp_path / "models" / name).write_text("earlier")
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "report.html").write_text("earlier")
    start(tmp_path, "train", overwrite="true").run()
    assert load(tmp_path / "models" / "model_last.pt")["epoch"] == 1
    assert not (tmp_path / "eval" / "report.html").exists()


def test_patients_that_were_trained_on_are_not_judged_unasked(start: Start, trained: Path, tmp_path: Path) -> None:
    other = {"seed": 1, "checkpoint": str(trained / "models" / "model.pt"), "output_dir": str(tmp_path)}
    with pytest.raises(Exception) as caught:
        start(trained, "train", "evaluate", **other).run()
    assert isinstance(find_glioma_error(caught.value), SplitLeakageError)
    start(trained, "train", "evaluate", allow_trained_on="true", **other).run()
    assert (tmp_path / "metrics.json").exists()


def test_weights_of_one_recipe_are_not_judged_by_the_other(start: Start, trained: Path, tmp_path: Path) -> None:
    checkpoint = str(trained / "models" / "model.pt")
    with pytest.raises(Exception) as caught:
        start(tmp_path, "train", "paper", "evaluate", checkpoint=checkpoint, **SMALL_SLICES).run()
    error = find_glioma_error(caught.value)
    assert isinstance(error, CheckpointError)
    assert "Leave configs/paper.yaml out" in str(error)


def test_stage_2_trains_the_deep_head_alone(trained: Path, stage2: Path) -> None:
    before, after = load(trained / "models" / "model.pt"), load(stage2)
    bodies = [{k: v for k, v in content["model"].items() if not is_head(k)} for content in (before, after)]
    assert any("running_mean" in key for key in bodies[0])
    assert equal(*bodies)
    assert {key for key in after["model"] if is_head(key)} != {key for key in before["model"] if is_head(key)}
    assert after["provenance"]["stage"] == 2
    assert set(after["provenance"]["training_subjects"]) == set(before["provenance"]["training_subjects"])


def test_stage_3_is_refused_the_weights_of_stage_1(start: Start, trained: Path) -> None:
    first = str(trained / "models" / "model.pt")
    with pytest.raises(Exception) as caught:
        start(trained, "train", "stage3", init_weights=first).run()
    error = find_glioma_error(caught.value)
    assert isinstance(error, CheckpointError)
    assert in_order(str(error), first, "stage 1", "stage 3 continues from stage 2")


def test_stage_3_goes_on_with_the_deep_head(start: Start, trained: Path, stage2: Path) -> None:
    workflow = start(trained, "train", "stage3")
    network = workflow.parser.get_parsed_content("network_def")
    workflow.parser.get_parsed_content("start")
    before = load(stage2)["model"]
    assert equal(network.state_dict(), before)
    workflow.run()
    after = load(trained / "models" / "model_stage3.pt")
    changed = {key for key, weight in after["model"].items() if not torch.equal(weight, before[key])}
    assert changed
    assert all(is_head(key) for key in changed)
    assert after["provenance"]["stage"] == 3


@pytest.mark.parametrize("overlays", [(), ("stage2",)])
def test_a_later_stage_is_judged_by_its_weights_alone(
    start: Start, stage2: Path, tmp_path: Path, overlays: tuple[str, ...]
) -> None:
    """They tell their head, and those of the stage before are needed no more."""
    checkpoint = str(shutil.copy(stage2, tmp_path / "late.pt"))
    start(tmp_path, "train", *overlays, "evaluate", checkpoint=checkpoint, output_dir=str(tmp_path)).run()
    assert json.loads((tmp_path / "metrics.json").read_text())["weights"]["stage"] == 2


def test_inference_takes_the_head_of_its_weights(start: Start, stage2: Path, tmp_path: Path) -> None:
    network = start(tmp_path, "inference", checkpoint=str(stage2)).parser.get_parsed_content("network_def")
    assert equal(network.state_dict(), load(stage2)["model"])


def test_the_papers_split_is_over_slices_and_says_so(start: Start, tmp_path: Path) -> None:
    settings = {"epochs": 1, "batch_size": 16, "pretrained": False, "samples_per_epoch": 16, **SMALL_SLICES}
    start(tmp_path, "train", "paper", **settings).run()
    content = load(tmp_path / "models" / "paper.pt")
    assert (content["provenance"]["recipe"], content["provenance"]["protocol"]) == ("paper", "paper")
    assert "val_soft_dice" in content["provenance"]
    split = json.loads((tmp_path / "eval" / "paper" / "split.json").read_text())
    sides = {side: set(split[side]) for side in ("train", "validation", "test")}
    assert not sides["train"] & sides["test"]
    patients = {side: {unit.rpartition("#")[0] for unit in units} for side, units in sides.items()}
    assert patients["train"] & patients["test"]
    start(tmp_path, "train", "paper", "evaluate", **SMALL_SLICES).run()
    rows = pd.read_csv(tmp_path / "eval" / "paper" / "predictions.csv")
    assert rows["hd95_WT"].isna().all()
    assert rows["slices"].sum() == len(sides["test"])
    assert "both sides of the split" in (tmp_path / "eval" / "paper" / "report.html").read_text()


def test_the_papers_recipe_is_refused_without_its_overlay(
    phantom_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"config_file": CONFIGS / "train.yaml", "bundle_root": tmp_path, "dataset_dir": phantom_dir, **TINY}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    logging_file = ["--logging_file", "False"]
    monkeypatch.setattr(sys, "argv", ["monai.bundle", "run", *words, *logging_file, "--recipe", "paper"])
    with pytest.raises(Exception) as caught:
        runpy.run_module("monai.bundle", run_name="__main__", alter_sys=True)
    error = find_glioma_error(caught.value)
    assert isinstance(error, KnobError)
    assert "configs/paper.yaml" in str(error)
    assert list(tmp_path.iterdir()) == []
