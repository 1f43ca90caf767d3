from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common import __version__
from common.errors import KnobError, OutputError
from common.running import (
    check_recipe,
    last_state_path,
    open_run,
    record_run,
    seed_everything,
)

CONFIG = {"dataset_dir": None, "epochs": 60, "recipe": "ours", "train": {"trainer": {"max_epochs": "@epochs"}}}


@pytest.fixture
def config(tmp_path: Path) -> str:
    return write(tmp_path / "train.yaml", CONFIG)


def write(path: Path, content: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(content))
    return str(path)


def left_in(folder: Path) -> list[str]:
    """What lies in a folder, its lock excepted."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_the_recipe_is_that_of_the_configs_and_the_split_is_free(config: str, tmp_path: Path) -> None:
    paper = write(tmp_path / "paper.yaml", {"recipe": "paper", "split_by": "paper", "train#trainer#amp": True})
    for split_by in ("patient", "paper"):
        check_recipe("ours", split_by, ["run", "--config_file", config])
        check_recipe("paper", split_by, ["run", "--config_file", f"{config},{paper}"])
    for recipe, files in (("paper", config), ("ours", f"{config},{paper}"), ("paper", f"{paper},{config}")):
        with pytest.raises(KnobError, match=rf"--recipe {recipe}: .*configs/paper\.yaml"):
            check_recipe(recipe, "patient", ["run", "--config_file", files, "--recipe", recipe])


def test_a_training_file_has_an_overlay_of_its_own(tmp_path: Path) -> None:
    masks = write(tmp_path / "train_masks.yaml", CONFIG)
    paper, paper_masks = (write(tmp_path / f"{name}.yaml", {"recipe": "paper"}) for name in ("paper", "paper_masks"))
    check_recipe("paper", "paper", ["run", "--config_file", f"{masks},{paper_masks}"])
    with pytest.raises(KnobError, match=r"configs/paper_masks\.yaml"):
        check_recipe("paper", "paper", ["run", "--config_file", f"{masks},{paper}"])


def test_unknown_choices_are_refused_together(config: str) -> None:
    with pytest.raises(KnobError) as caught:
        check_recipe("papre", "image", ["run", "--config_file", config])
    told = [str(problem) for problem in caught.value.problems]
    assert ["--recipe: 'papre' is no choice" in told[0], "--split_by: 'image' is no choice" in told[1]] == [True, True]


def test_the_last_state_lies_beside_the_weights() -> None:
    assert last_state_path("models/model_stage2.pt") == Path("models/model_stage2_last.pt")


@pytest.mark.parametrize("left", ["model.pt", "model_last.pt"])
def test_an_earlier_run_is_neither_continued_nor_replaced_unasked(tmp_path: Path, left: str) -> None:
    (tmp_path / left).write_text("earlier")
    with pytest.raises(OutputError, match=f"{left}: an earlier run"):
        open_run(tmp_path / "eval", tmp_path / "model.pt", resume="false", overwrite=None)
    assert not (tmp_path / "eval").exists()
    open_run(tmp_path / "eval", tmp_path / "model.pt", resume="true", overwrite=False)
    assert (tmp_path / left).read_text() == "earlier"
    assert (tmp_path / "eval").is_dir()


def test_overwriting_leaves_nothing_of_the_earlier_run(tmp_path: Path) -> None:
    run, weights = tmp_path / "eval", tmp_path / "model.pt"
    (run / "tensorboard").mkdir(parents=True)
    written = ("split.json", "report.html", "predictions.csv", "heat_maps.npz", "mask_features.csv", "cost.json")
    for name in (*written, "component_rules.csv", "tensorboard/events", "../model.pt", "notes.txt"):
        (run / name).write_text("earlier")
    open_run(run, weights, resume=False, overwrite="true")
    assert left_in(run) == ["notes.txt"]
    assert not weights.exists()


def test_the_other_processes_touch_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    (tmp_path / "model.pt").write_text("being trained")
    open_run(tmp_path / "eval", tmp_path / "model.pt", resume=False, overwrite=True)
    record_run(tmp_path / "eval", "training")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


def test_a_run_records_its_settings_and_versions(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = ["run", "--config_file", config, "--epochs", "3", "--train#trainer#amp", "True"]
    monkeypatch.setattr(sys, "argv", ["/env/monai/bundle/__main__.py", *line])
    record_run(tmp_path / "run", "training")
    recorded = yaml.safe_load((tmp_path / "run" / "training_config.yaml").read_text())
    assert recorded == {**CONFIG, "epochs": 3, "train": {"trainer": {"max_epochs": "@epochs", "amp": True}}}
    versions = json.loads((tmp_path / "run" / "versions.json").read_text())
    assert versions["glioma-bundles"] == __version__
    assert versions["monai"]


def test_one_seed_draws_the_same_weights() -> None:
    import torch

    seed_everything(3)
    first = torch.rand(4)
    seed_everything(3)
    assert torch.equal(torch.rand(4), first)


def test_overwriting_clears_a_start_that_failed_and_keeps_the_split_that_was_given(tmp_path: Path) -> None:
    run = tmp_path / "eval"
    run.mkdir()
    for name in ("split.json", "metrics.json"):
        (run / name).write_text("{}")
    open_run(run, tmp_path / "model.pt", resume=False, overwrite=True, split_file=run / "split.json")
    assert left_in(run) == ["split.json"]
    open_run(run, tmp_path / "model.pt", resume=False, overwrite=True)
    assert left_in(run) == []


def test_a_second_run_into_one_folder_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    script = "import sys, time; from common.running import open_run; open_run(*sys.argv[1:], False, False); "
    script += "print('open', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", script, str(tmp_path / "eval"), str(tmp_path / "model.pt")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    (tmp_path / "eval" / "metrics.json").write_text("{}")
    with pytest.raises(OutputError, match="another process is writing here"):
        open_run(tmp_path / "eval", tmp_path / "model.pt", resume=False, overwrite=True)
    with pytest.raises(OutputError, match="another process is writing here"):
        record_run(tmp_path / "eval", "evaluation")
    assert left_in(tmp_path / "eval") == ["metrics.json"]
    process.kill()
    process.wait(10)
    open_run(tmp_path / "eval", tmp_path / "model.pt", resume=False, overwrite=True)
    assert left_in(tmp_path / "eval") == []


def test_a_recipe_or_a_stage_after_the_evaluation_is_refused(config: str, tmp_path: Path) -> None:
    """P2's recipe has handlers of its own, which loaded no weights: an untrained network was judged."""
    evaluate = write(tmp_path / "evaluate.yaml", {"judged": "weights", "side": "test"})
    images = write(tmp_path / "evaluate_from_images.yaml", {"segmentation": "model.pt"})
    paper, stage = write(tmp_path / "paper.yaml", {"recipe": "paper"}), write(tmp_path / "stage2.yaml", {"stage": 2})
    check_recipe("paper", "patient", ["run", "--config_file", f"{config},{paper},{stage},{evaluate},{images}"])
    for recipe, overlay in (("paper", paper), ("ours", stage)):
        with pytest.raises(KnobError, match=rf"{overlay}: it is merged after evaluate\.yaml") as caught:
            check_recipe(recipe, "patient", ["run", "--config_file", f"{config},{evaluate},{overlay}"])
        assert len(caught.value.problems) == 1
