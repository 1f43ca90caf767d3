"""P2's networks, in process: copies on one side or on both, what is refused. Their life is in test_life_cycle."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from monai.bundle import ConfigParser
from PIL import Image

from common.errors import CheckpointError, DatasetError, KnobError, SplitLeakageError
from tests.bundles.lifecycle import PICTURES, load, refused

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

CONFIGS = Path(__file__).resolve().parents[2] / "bundles" / "brain_tumor_classification" / "configs"
SIZE = PICTURES["image_size"]


@pytest.fixture(scope="session")
def begin(begin_case: Start) -> Start:
    """Like ``start``, for net A: ``begin(folder, "evaluate")``."""

    def begin(folder: Path, *overlays: str, **settings: Any) -> Any:
        return begin_case("tumour A", folder, *overlays, **settings)

    return begin


@pytest.fixture(scope="session")
def trained(live: Callable[[str], tuple[str, Path]]) -> Path:
    """The folder of a run of two epochs of net A that was evaluated."""
    return live("tumour A")[1]


def sides_of(run: Path) -> dict[str, list[str]]:
    split = json.loads((run / "split.json").read_text())
    return {side: split[side] for side in ("train", "validation", "test")}


def true_groups(images_dir: Path) -> dict[str, str]:
    """The group of every image, as the phantoms' maker wrote it down."""
    with (images_dir / "copies.csv").open(encoding="utf-8") as file:
        return {str(Path(row["image"]).with_suffix("")): row["group"] for row in csv.DictReader(file)}


def test_copies_of_a_test_image_are_never_learned_from(trained: Path, images_dir: Path) -> None:
    """By the truth of the phantoms' maker, not by the groups that were found."""
    run = trained / "eval"
    found = pd.read_csv(run / "copies.csv")
    group_of = true_groups(images_dir)
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
    assert told["groups"] == len(set(group_of.values())) == 24
    assert {"copies.png", "copies_threshold.png"} < {path.name for path in run.iterdir()}


def test_copies_of_an_image_are_judged_each_and_counted_as_one(trained: Path) -> None:
    rows = pd.read_csv(trained / "eval" / "predictions.csv")
    assert set(rows["subject"]) == set(sides_of(trained / "eval")["test"])
    metrics = json.loads((trained / "eval" / "metrics.json").read_text())
    assert metrics["scans"] == len(rows) > metrics["patients"] == rows["subject"].nunique()


def test_a_folder_of_images_is_predicted_whole(begin: Start, trained: Path, images_dir: Path, tmp_path: Path) -> None:
    where = {"checkpoint": str(trained / "models" / "model.pt"), "output_dir": str(tmp_path)}
    begin(tmp_path, config="inference", **where).run()
    found = pd.read_csv(tmp_path / "predictions.csv", index_col="subject")
    assert {*found.index} > {*true_groups(images_dir)}
    assert len(found) == len(true_groups(images_dir)) + 4  # pred/ too


def test_one_image_of_any_kind_gets_an_answer_and_a_heat_map(
    begin: Start, trained: Path, images_dir: Path, tmp_path: Path
) -> None:
    slice_ = Image.open(next((images_dir / "yes").glob("y*.jpg"))).convert("L")
    for mode in ("L", "RGB", "P", "RGBA"):
        slice_.convert(mode).save(tmp_path / f"{mode}.png")
        where = {"checkpoint": str(trained / "models" / "model.pt"), "output_dir": str(tmp_path / "out")}
        begin(tmp_path, config="inference", dataset_dir=str(tmp_path / f"{mode}.png"), gradcam="true", **where).run()
    found = pd.read_csv(tmp_path / "out" / "predictions.csv", index_col="subject")
    assert sorted(found.index) == ["L", "P", "RGB", "RGBA"]
    assert found["p_tumour"].nunique() == 1
    for mode in found.index:
        with Image.open(tmp_path / "out" / f"{mode}_gradcam.png") as picture:
            assert min(picture.size) > 200


def test_the_papers_split_lets_copies_stand_on_both_sides_and_says_so(
    begin: Start, images_dir: Path, tmp_path: Path
) -> None:
    begin(tmp_path, "paper", epochs=1).run()
    run = tmp_path / "eval" / "paper"
    sides, group_of = sides_of(run), true_groups(images_dir)
    assert sorted(image for images in sides.values() for image in images) == sorted(group_of)
    assert len(sides["test"]) == round(0.2 * len(group_of))
    assert {group_of[image] for image in sides["train"]} & {group_of[image] for image in sides["test"]}
    told = json.loads((run / "copies.json").read_text())
    trained_on = {group_of[image] for image in sides["train"]}
    assert told["tested_with_copy_in_training"] == sum(group_of[image] in trained_on for image in sides["test"]) > 0
    begin(tmp_path, "paper", "evaluate").run()
    metrics = json.loads((run / "metrics.json").read_text())
    assert (metrics["recipe"], metrics["protocol"]) == ("paper", "paper")
    assert "both sides" in (run / "report.html").read_text()


def test_the_papers_recipe_chooses_its_epoch_on_the_test_side_and_says_so(
    begin: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(tmp_path, "paper", epochs=3, lr=0.003).run()
    assert "The best epoch is chosen on the test side" in caplog.text
    begin(tmp_path, "paper", "evaluate").run()
    run = tmp_path / "eval" / "paper"
    history = pd.read_csv(run / "history.csv", index_col="epoch")
    metrics = json.loads((run / "metrics.json").read_text())
    weights = metrics["weights"]
    assert (weights["chosen_on"], weights["epoch"]) == ("test", history["chosen_by_accuracy"].idxmax())
    assert metrics["measures"]["accuracy"]["mean"] == pytest.approx(history["chosen_by_accuracy"].max())
    assert "was chosen on the test side" in (run / "report.html").read_text()
    assert load(tmp_path / "models" / "paper.pt")["provenance"]["chosen_on"] == "test"


def test_split_by_patient_the_papers_recipe_chooses_on_the_validation_side(
    begin: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begin(tmp_path, "paper", split_by="patient", epochs=1).run()
    history = pd.read_csv(tmp_path / "eval" / "paper" / "history.csv")
    assert history["chosen_by_accuracy"].equals(history["val_accuracy"])
    assert "chosen on the test side" not in caplog.text
    assert load(tmp_path / "models" / "paper.pt")["provenance"]["chosen_on"] == "validation"


@pytest.mark.parametrize("overlays", [(), ("paper",)], ids=["default", "paper"])
def test_folds_share_one_test_side(images_dir: Path, tmp_path: Path, overlays: tuple[str, ...]) -> None:
    found = []
    for fold in range(3):
        parser = ConfigParser(
            ConfigParser.load_config_files([CONFIGS / f"{name}.yaml" for name in ("train", *overlays)])
        )
        parser.update(
            {"dataset_dir": str(images_dir), "image_size": SIZE, "fold": fold, "output_dir": str(tmp_path / f"{fold}")}
        )
        found.append(parser.get_parsed_content("split").sides)
    assert found[0]["test"] == found[1]["test"] == found[2]["test"]
    validated = [set(sides["validation"]) for sides in found]
    assert validated[0].isdisjoint(validated[1] | validated[2])
    assert set.union(*validated) == set(found[0]["train"]) | validated[0]


def test_weights_that_were_trained_on_an_image_are_refused_whatever_its_group_is_called(
    begin: Start, trained: Path, tmp_path: Path
) -> None:
    """Another threshold makes other groups with other names, but the images stay the same."""
    other = {"seed": 3, "checkpoint": str(trained / "models" / "model.pt"), "copy_threshold": 0.999}
    error = refused(begin, tmp_path, "evaluate", **other)
    assert isinstance(error, SplitLeakageError)
    error = refused(begin, tmp_path / "anew", init_weights=str(trained / "models" / "model.pt"), seed=3)
    assert isinstance(error, SplitLeakageError)


def test_other_settings_than_in_training_are_named(begin: Start, trained: Path, tmp_path: Path) -> None:
    where = {"checkpoint": str(trained / "models" / "model.pt"), "output_dir": str(tmp_path)}
    error = refused(begin, tmp_path, config="inference", net="B", **where)
    assert isinstance(error, CheckpointError)
    assert "--net A" in str(error)


def test_a_frozen_backbone_with_random_weights_is_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, net="B")
    assert isinstance(error, KnobError)
    assert "--pretrained" in str(error)


def test_more_than_two_classes_are_refused(begin: Start, images_dir: Path, tmp_path: Path) -> None:
    for folder, name in (("a", "no"), ("b", "glioma"), ("c", "meningioma")):
        image = next((images_dir / ("no" if name == "no" else "yes")).glob("*.jpg"))
        (tmp_path / "three" / name).mkdir(parents=True)
        (tmp_path / "three" / name / f"{folder}.jpg").write_bytes(image.read_bytes())
    error = refused(begin, tmp_path, dataset_dir=str(tmp_path / "three"))
    assert isinstance(error, DatasetError)
    assert "meningioma" in str(error)


def test_a_damaged_image_is_named_before_anything_is_made(begin: Start, images_dir: Path, tmp_path: Path) -> None:
    for name in ("no", "yes"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for image in sorted((images_dir / name).glob("*.jpg"))[:6]:
            (tmp_path / "data" / name / image.name).write_bytes(image.read_bytes())
    broken = tmp_path / "data" / "yes" / "broken.jpg"
    broken.write_bytes(image.read_bytes()[:200])
    error = refused(begin, tmp_path, dataset_dir=str(tmp_path / "data"))
    assert isinstance(error, DatasetError)
    assert str(broken) in str(error)
    assert not list((tmp_path / "models").glob("*.pt"))
