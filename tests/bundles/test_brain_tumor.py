"""P2's networks, in process: train, break off, resume, evaluate, predict; copies on one side or on both."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from monai.bundle import ConfigParser
from PIL import Image

from common.errors import CheckpointError, DatasetError, KnobError, SplitLeakageError
from common.phantoms.layouts.br35h import make_br35h_phantoms
from tests.bundles.lifecycle import assert_same_runs, interrupt, load, refused

Start = Callable[..., Any]

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "brain_tumor_classification" / "configs"
SIZE = [64, 64]
SMALL: dict[str, Any] = {"folds": 3, "image_size": SIZE, "units": [16], "filters": 8, "batch_size": 8, "epochs": 2}
NETS: dict[str, dict[str, Any]] = {"A": {"net": "A"}, "B": {"net": "B", "trainable": "all"}}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine brains a class, and a copy or two of most."""
    return make_br35h_phantoms(tmp_path_factory.mktemp("br35h"), originals=9, copies=1.5, side=100)


@pytest.fixture(scope="module")
def begin(start: Start, cohort: Path) -> Start:
    """Like ``start``, on this cohort: ``begin(folder, "train", "evaluate", net="B")``."""

    def begin(folder: Path, *configs: str, **settings: Any) -> Any:
        learning = {"lr_step": 1, "pretrained": False} if configs[0] == "train" else {}
        small = SMALL if configs[0] == "train" else {name: SMALL[name] for name in ("image_size", "units", "filters")}
        given = {"dataset_dir": str(cohort), **small, **learning, **settings}
        return start(folder, *configs, bundle="brain_tumor_classification", **given)

    return begin


def sides_of(run: Path) -> dict[str, list[str]]:
    split = json.loads((run / "split.json").read_text())
    return {side: split[side] for side in ("train", "validation", "test")}


def true_groups(cohort: Path) -> dict[str, str]:
    """The group of every image, as the phantoms' maker wrote it down."""
    with (cohort / "copies.csv").open(encoding="utf-8") as file:
        return {str(Path(row["image"]).with_suffix("")): row["group"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module", params=NETS)
def trained(request: pytest.FixtureRequest, begin: Start, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A run of two epochs: its net and its folder."""
    folder = tmp_path_factory.mktemp(f"net_{request.param}")
    begin(folder, "train", **NETS[request.param]).run()
    return request.param, folder


@pytest.fixture(scope="module")
def evaluated(begin: Start, trained: tuple[str, Path]) -> tuple[str, Path]:
    net, folder = trained
    begin(folder, "train", "evaluate", **NETS[net]).run()
    return trained


def test_a_resumed_run_equals_an_unbroken_one(begin: Start, trained: tuple[str, Path], tmp_path: Path) -> None:
    net, folder = trained
    broken = begin(tmp_path, "train", **NETS[net])
    steps = len(broken.trainer.data_loader)
    interrupt(broken, steps + 1)  # the second epoch's first step
    assert load(tmp_path / "models" / "model_last.pt")["epoch"] == 1
    begin(tmp_path, "train", resume="true", **NETS[net]).run()
    assert_same_runs(folder, tmp_path)


def test_copies_of_a_test_image_are_never_learned_from(trained: tuple[str, Path], cohort: Path) -> None:
    """By the truth of the phantoms' maker, not by the groups that were found."""
    _, folder = trained
    run = folder / "eval"
    found = pd.read_csv(run / "copies.csv")
    group_of = true_groups(cohort)
    on_side = {
        side: {group_of[image] for image in found.loc[found["group"].isin(groups), "subject"]}
        for side, groups in sides_of(run).items()
    }
    assert all(on_side.values())
    assert not on_side["train"] & on_side["test"]
    assert not on_side["train"] & on_side["validation"]
    assert not on_side["validation"] & on_side["test"]
    told = json.loads((run / "copies.json").read_text())
    assert told["tested_with_copy_in_training"] == 0
    assert told["groups"] == 18
    assert {"copies.png", "copies_threshold.png"} < {path.name for path in run.iterdir()}


def test_an_evaluation_judges_every_test_image_once(evaluated: tuple[str, Path]) -> None:
    _, folder = evaluated
    rows = pd.read_csv(folder / "eval" / "predictions.csv")
    assert rows["scan"].is_unique
    assert set(rows["subject"]) == set(sides_of(folder / "eval")["test"])
    metrics = json.loads((folder / "eval" / "metrics.json").read_text())
    assert metrics["scans"] == len(rows) > metrics["patients"] == rows["subject"].nunique()
    truth, predicted = rows["truth"], rows["predicted"]
    assert metrics["measures"]["accuracy"]["mean"] == pytest.approx((truth == predicted).mean())
    assert "phantom" in (folder / "eval" / "report.html").read_text()


def test_inference_says_of_an_image_what_the_evaluation_said(
    begin: Start, evaluated: tuple[str, Path], cohort: Path, tmp_path: Path
) -> None:
    """From files to probabilities by another path: they must agree."""
    net, folder = evaluated
    rows = pd.read_csv(folder / "eval" / "predictions.csv", index_col="scan")
    where = {"checkpoint": str(folder / "models" / "model.pt"), "output_dir": str(tmp_path)}
    begin(tmp_path, "inference", net=net, **where).run()
    found = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    assert len(found) == len(true_groups(cohort)) + 4  # pred/ too
    columns = ["p_none", "p_tumour"]
    np.testing.assert_allclose(found.loc[rows.index, columns], rows[columns], atol=1e-4)


def test_one_image_of_any_kind_gets_an_answer_and_a_heat_map(
    begin: Start, trained: tuple[str, Path], cohort: Path, tmp_path: Path
) -> None:
    net, folder = trained
    slice_ = Image.open(next((cohort / "yes").glob("y*.jpg"))).convert("L")
    for mode in ("L", "RGB", "P", "RGBA"):
        slice_.convert(mode).save(tmp_path / f"{mode}.png")
        where = {"checkpoint": str(folder / "models" / "model.pt"), "output_dir": str(tmp_path / "out")}
        begin(tmp_path, "inference", net=net, dataset_dir=str(tmp_path / f"{mode}.png"), gradcam="true", **where).run()
    found = pd.read_csv(tmp_path / "out" / "predictions.csv", index_col="subject")
    assert sorted(found.index) == ["L", "P", "RGB", "RGBA"]
    assert found["p_tumour"].nunique() == 1
    for mode in found.index:
        with Image.open(tmp_path / "out" / f"{mode}_gradcam.png") as picture:
            assert min(picture.size) > 200


def test_the_papers_split_lets_copies_stand_on_both_sides_and_says_so(
    begin: Start, cohort: Path, tmp_path: Path
) -> None:
    begin(tmp_path, "train", "paper", epochs=1).run()
    run = tmp_path / "eval" / "paper"
    sides, group_of = sides_of(run), true_groups(cohort)
    assert sorted(image for images in sides.values() for image in images) == sorted(group_of)
    assert len(sides["test"]) == round(0.2 * len(group_of))
    assert {group_of[image] for image in sides["train"]} & {group_of[image] for image in sides["test"]}
    told = json.loads((run / "copies.json").read_text())
    trained_on = {group_of[image] for image in sides["train"]}
    assert told["tested_with_copy_in_training"] == sum(group_of[image] in trained_on for image in sides["test"]) > 0
    begin(tmp_path, "train", "paper", "evaluate").run()
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["recipe"], metrics["protocol"]) == ("paper", "paper")
    assert "both sides" in (run / "report.html").read_text()


@pytest.mark.parametrize("overlays", [(), ("paper",)], ids=["default", "paper"])
def test_folds_share_one_test_side(cohort: Path, tmp_path: Path, overlays: tuple[str, ...]) -> None:
    found = []
    for fold in range(3):
        parser = ConfigParser(
            ConfigParser.load_config_files([CONFIGS / f"{name}.yaml" for name in ("train", *overlays)])
        )
        parser.update(
            {"dataset_dir": str(cohort), "image_size": SIZE, "fold": fold, "output_dir": str(tmp_path / f"{fold}")}
        )
        found.append(parser.get_parsed_content("split").sides)
    assert found[0]["test"] == found[1]["test"] == found[2]["test"]
    validated = [set(sides["validation"]) for sides in found]
    assert validated[0].isdisjoint(validated[1] | validated[2])
    assert set.union(*validated) == set(found[0]["train"]) | validated[0]


def test_weights_that_were_trained_on_an_image_are_refused_whatever_its_group_is_called(
    begin: Start, trained: tuple[str, Path], tmp_path: Path
) -> None:
    """Another threshold makes other groups with other names, but the images stay the same."""
    net, folder = trained
    other = {"seed": 3, "checkpoint": str(folder / "models" / "model.pt"), "copy_threshold": 0.999}
    error = refused(begin, tmp_path, "train", "evaluate", **other, **NETS[net])
    assert isinstance(error, SplitLeakageError)
    error = refused(
        begin, tmp_path / "anew", "train", init_weights=str(folder / "models" / "model.pt"), seed=3, **NETS[net]
    )
    assert isinstance(error, SplitLeakageError)


def test_other_settings_than_in_training_are_named(begin: Start, trained: tuple[str, Path], tmp_path: Path) -> None:
    net, folder = trained
    where = {"checkpoint": str(folder / "models" / "model.pt"), "output_dir": str(tmp_path)}
    error = refused(begin, tmp_path, "inference", net="B" if net == "A" else "A", **where)
    assert isinstance(error, CheckpointError)
    assert f"--net {net}" in str(error)


def test_a_frozen_backbone_with_random_weights_is_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "train", net="B")
    assert isinstance(error, KnobError)
    assert "--pretrained" in str(error)


def test_more_than_two_classes_are_refused(begin: Start, cohort: Path, tmp_path: Path) -> None:
    for folder, name in (("a", "no"), ("b", "glioma"), ("c", "meningioma")):
        image = next((cohort / ("no" if name == "no" else "yes")).glob("*.jpg"))
        (tmp_path / "three" / name).mkdir(parents=True)
        (tmp_path / "three" / name / f"{folder}.jpg").write_bytes(image.read_bytes())
    error = refused(begin, tmp_path, "train", dataset_dir=str(tmp_path / "three"))
    assert isinstance(error, DatasetError)
    assert "meningioma" in str(error)


def test_a_damaged_image_is_named_before_anything_is_made(begin: Start, cohort: Path, tmp_path: Path) -> None:
    for name in ("no", "yes"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for image in sorted((cohort / name).glob("*.jpg"))[:6]:
            (tmp_path / "data" / name / image.name).write_bytes(image.read_bytes())
    broken = tmp_path / "data" / "yes" / "broken.jpg"
    broken.write_bytes(image.read_bytes()[:200])
    error = refused(begin, tmp_path, "train", dataset_dir=str(tmp_path / "data"))
    assert isinstance(error, DatasetError)
    assert str(broken) in str(error)
    assert not list((tmp_path / "models").glob("*.pt"))
