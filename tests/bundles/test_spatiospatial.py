"""Whole volumes, in process: sources, both recipes, what is refused. Their life is in test_life_cycle."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from common.errors import CheckpointError, DatasetError, KnobError
from tests.bundles.lifecycle import UNSURE, VOLUMES, load, refused

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

BUNDLE = "glioma_spatiospatial_classification"
SIZES = ("backbone", "volume_size", "volume_spacing")
SMALL: dict[str, Any] = {"bundle": BUNDLE, **{name: VOLUMES[name] for name in SIZES}}


@pytest.fixture(scope="module")
def begin(start: Start, classifiable: Path, healthy_dir: Path) -> Start:
    """Like ``start``, for this bundle and its phantoms: ``begin(folder, "train", "evaluate", epochs=2)``."""

    def begin(folder: Path, *configs: str, **settings: Any) -> Any:
        given = {**SMALL, "dataset_dir": str(classifiable)}
        if configs[0] == "train":
            shortcuts = UNSURE if "evaluate" in configs else None
            given |= {"healthy_dir": str(healthy_dir), "samples_per_epoch": None, "shortcuts": shortcuts}
        return start(folder, *configs, **{**given, **settings})

    return begin


@pytest.fixture(scope="session")
def trained(live: Callable[[str], tuple[str, Path]]) -> Path:
    """The folder of a run of two epochs that was evaluated."""
    return live("volume")[1]


@pytest.fixture(scope="module")
def of_grades(begin: Start, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of one epoch, without healthy people, of two modalities, four patients a step."""
    folder = tmp_path_factory.mktemp("grades")
    settings = {"healthy_dir": None, "modalities": ["t1ce", "flair"], "batch_size": 2, "accumulation_steps": 2}
    begin(folder, "train", **settings).run()
    return folder


def read_split(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "split.json").read_text(encoding="utf-8"))


def read_predictions(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "predictions.csv", dtype={"subject": str}).set_index("subject")


def test_nobody_stands_on_two_sides(trained: Path) -> None:
    split = read_split(trained / "eval")
    sides = [set(split[side]) for side in ("train", "validation", "test")]
    assert [len(side) for side in sides] == [16, 8, 8]
    assert len(set.union(*sides)) == 32
    assert [sum(name.startswith("IXI") for name in side) for side in sides] == [6, 3, 3]


def test_every_test_patient_is_judged_once(trained: Path) -> None:
    rows, metrics = read_predictions(trained / "eval"), json.loads((trained / "eval" / "metrics.json").read_text())
    assert list(rows.index) == read_split(trained / "eval")["test"]
    assert (rows["truth"] == "healthy").tolist() == rows.index.str.startswith("IXI").tolist()
    np.testing.assert_allclose(rows[["p_LGG", "p_HGG", "p_healthy"]].sum(axis=1), 1, atol=1e-6)
    assert np.sum(metrics["confusion"]) == metrics["patients"] == 8
    assert not (trained / "eval" / "samples.csv").exists()


def test_the_report_says_that_the_source_predicts_who_is_healthy(trained: Path) -> None:
    metrics = json.loads((trained / "eval" / "metrics.json").read_text())
    shortcuts, sentences = metrics["shortcuts"], " ".join(metrics["verdict"]["sentences"])
    assert shortcuts["told_by_source"]
    (told,) = (warning for warning in shortcuts["warnings"] if "one data set only" in warning)
    assert told.lower().startswith("healthy") and "(ixi)" in told.lower()
    assert "prepared volumes still show it" in told.lower()
    assert not metrics["verdict"]["claim"]
    assert "Healthy brains can be recognised by their source" in sentences
    page = (trained / "eval" / "report.html").read_text(encoding="utf-8")
    assert "Glioma grade of a whole volume: evaluation" in page
    assert told in html.unescape(page)
    assert "phantom" in page


def test_low_against_high_grade_is_judged_on_its_own(trained: Path) -> None:
    subgroup = json.loads((trained / "eval" / "metrics.json").read_text())["subgroup"]
    rows = read_predictions(trained / "eval")
    tumours = rows[rows["truth"] != "healthy"]
    assert (subgroup["name"], subgroup["classes"]) == ("LGG against HGG", ["LGG", "HGG"])
    assert subgroup["patients"] == len(tumours) == np.sum(subgroup["confusion"])
    higher = tumours["p_HGG"] / (tumours["p_LGG"] + tumours["p_HGG"])
    low, high = (higher[tumours["truth"] == grade].to_numpy() for grade in ("LGG", "HGG"))
    in_order = (high[:, None] > low).mean() + 0.5 * (high[:, None] == low).mean()
    assert subgroup["measures"]["auc"]["mean"] == pytest.approx(in_order)
    assert "<h2>LGG against HGG on its own</h2>" in (trained / "eval" / "report.html").read_text(encoding="utf-8")


def test_what_a_step_costs(of_grades: Path) -> None:
    cost = json.loads((of_grades / "eval" / "cost.json").read_text())
    weights = load(of_grades / "models" / "model.pt")["model"]
    counted = sum(value.numel() for key, value in weights.items() if "running_" not in key and "num_b" not in key)
    assert cost["parameters"] == counted
    assert cost["image"] == [2, 2, 16, 16, 16]
    assert cost["step_seconds"] > 0 and cost["peak_memory_mb"] > 0


@pytest.mark.parametrize("healthy", [False, True], ids=["BraTS", "IXI, a head in PSR"])
def test_inference_from_a_file_says_what_the_evaluation_said(
    begin: Start, trained: Path, classifiable: Path, healthy_dir: Path, tmp_path: Path, healthy: bool, drawn: None
) -> None:
    rows = read_predictions(trained / "eval")
    expected = rows[(rows["truth"] == "healthy") == healthy].iloc[0]
    name = str(expected.name)
    file = healthy_dir / f"{name}-T1.nii.gz" if healthy else next(classifiable.rglob(f"{name}_t1ce.nii*"))
    given = {"dataset_dir": None, "t1ce": str(file), "gradcam": "true", "output_dir": str(tmp_path)}
    if not healthy:
        given["subject"] = name
    begin(tmp_path, "inference", checkpoint=str(trained / "models" / "model.pt"), **given).run()
    found = read_predictions(tmp_path)
    assert list(found.index) == [name]
    assert found.loc[name, "predicted"] == expected["predicted"]
    for column in ("p_LGG", "p_HGG", "p_healthy"):
        assert found.loc[name, column] == pytest.approx(expected[column], abs=1e-4)
    source, cam = nib.load(file), nib.load(tmp_path / f"{name}_gradcam.nii.gz")
    assert cam.shape == source.shape
    assert np.array_equal(cam.affine, source.affine)
    assert nib.aff2axcodes(cam.affine) == (("P", "S", "R") if healthy else ("L", "P", "S"))
    values = np.asarray(cam.dataobj)
    assert 0 <= values.min() < 0.5 < values.max() <= 1
    assert (tmp_path / f"{name}_gradcam.png").stat().st_size > 5000


def test_a_folder_is_predicted_and_gone_on_with(begin: Start, trained: Path, healthy_dir: Path, tmp_path: Path) -> None:
    where = {"dataset_dir": str(healthy_dir), "output_dir": str(tmp_path)}
    settings = {"checkpoint": str(trained / "models" / "model.pt"), **where}
    people = [path.name.removesuffix("-T1.nii.gz") for path in sorted(healthy_dir.glob("*-T1.nii.gz"))]
    begin(tmp_path, "inference", exclude=",".join(people[2:]), **settings).run()
    before = read_predictions(tmp_path)
    assert list(before.index) == people[:2]
    assert "predictions of 2 patients are there already" in str(refused(begin, tmp_path, "inference", **settings))
    begin(tmp_path, "inference", resume="true", **settings).run()
    after = read_predictions(tmp_path)
    assert list(after.index) == people
    assert after.loc[before.index].equals(before)


def test_heads_without_a_mask_are_refused_in_one_message(
    begin: Start, trained: Path, healthy_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.cohorts.brains.extraction.find_hd_bet", lambda: None)
    root = tmp_path / "ixi"
    shutil.copytree(healthy_dir, root)
    bare = [path.name for path in sorted(root.glob("*-T1.nii.gz"))][:3]
    for name in bare:
        (root / name.replace("-T1.", "-T1_mask.")).unlink()
    error = refused(begin, tmp_path / "run", "train", healthy_dir=str(root))
    assert isinstance(error, DatasetError)
    (problem,) = error.problems
    assert problem.what == f"3 volumes are whole heads without a brain mask: {', '.join(bare)}"
    assert "HD-BET" in problem.hint
    assert not list((tmp_path / "run" / "models").glob("*.pt"))
    given = {"checkpoint": str(trained / "models" / "model.pt"), "dataset_dir": None, "t1ce": str(root / bare[0])}
    assert "1 volume is a whole head without a brain mask" in str(refused(begin, tmp_path, "inference", **given))


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"backbone": "r3d_18"}, "--backbone r3d_10"),
        ({"volume_size": [16, 16, 20]}, "--volume_size [16,16,16]"),
        ({"volume_spacing": 2.5}, "--volume_spacing 3"),
        ({"brain_extraction": "none"}, "--brain_extraction auto"),
        ({"classes": ["LGG", "HGG"]}, '--classes ["LGG","HGG","healthy"]'),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_weights_of_other_settings_are_refused_and_the_settings_named(
    begin: Start, trained: Path, other: dict[str, Any], named: str
) -> None:
    error = refused(begin, trained, "inference", **other)
    assert isinstance(error, CheckpointError)
    assert f"It was trained with {named}: pass the same." in str(error)


def test_without_healthy_people_there_are_two_classes(begin: Start, of_grades: Path, tmp_path: Path) -> None:
    provenance = load(of_grades / "models" / "model.pt")["provenance"]
    assert provenance["classes"] == provenance["settings"]["classes"] == ["LGG", "HGG"]
    given = {"healthy_dir": None, "modalities": ["t1ce", "flair"]}
    begin(of_grades, "train", "evaluate", **given).run()
    metrics = json.loads((of_grades / "eval" / "metrics.json").read_text())
    assert (metrics["classes"], metrics["subgroup"]) == (["LGG", "HGG"], {})
    assert not metrics["shortcuts"]["told_by_source"]
    assert "Healthy brains" not in " ".join(metrics["verdict"]["sentences"])
    told = {"checkpoint": str(of_grades / "models" / "model.pt"), "output_dir": str(tmp_path)}
    error = refused(begin, tmp_path, "inference", **told)
    assert '--classes ["LGG","HGG"]' in str(error) and '--modalities ["t1ce","flair"]' in str(error)
    settings = {"classes": ["LGG", "HGG"], "modalities": ["t1ce", "flair"]}
    begin(tmp_path, "inference", **told, **settings).run()
    found, judged = read_predictions(tmp_path), read_predictions(of_grades / "eval")
    assert list(found.filter(like="p_")) == ["p_LGG", "p_HGG"] and len(found) == 20
    np.testing.assert_allclose(found.loc[judged.index, "p_HGG"], judged["p_HGG"], atol=1e-4)


def test_two_modalities_are_channels(of_grades: Path) -> None:
    checkpoint = load(of_grades / "models" / "model.pt")
    assert checkpoint["model"]["backbone.stem.0.weight"].shape[1] == 2
    assert checkpoint["provenance"]["settings"]["modalities"] == ["t1ce", "flair"]


def test_several_forward_passes_make_one_step(of_grades: Path) -> None:
    split, state = read_split(of_grades / "eval"), load(of_grades / "models" / "model_last.pt")
    steps = {int(weight["step"]) for weight in state["optimizer"]["state"].values()}
    assert len(split["train"]) == 10
    assert state["epoch_length"] == 5
    assert steps == {3}  # the last one of one pass


def test_a_modality_that_healthy_people_lack_is_refused(begin: Start, tmp_path: Path) -> None:
    error = refused(begin, tmp_path, "train", modalities=["t1ce", "flair"])
    assert isinstance(error, KnobError)
    assert "IXI has no flair" in str(error) and "--healthy_dir" in str(error)


def test_a_grid_without_meaning_is_refused_by_the_names_of_its_knobs(begin: Start, tmp_path: Path) -> None:
    for settings in ({"volume_size": [16, 16], "volume_spacing": 0}, {"volume_size": 16, "volume_spacing": "thick"}):
        error = refused(begin, tmp_path, "train", **settings)
        assert isinstance(error, KnobError)
        assert [problem.where for problem in error.problems] == ["--volume_size", "--volume_spacing"]


def test_the_papers_split_is_three_draws_whose_test_sides_overlap(begin: Start, tmp_path: Path) -> None:
    given: dict[str, Any] = {"folds": 3, "batch_size": 8, "samples_per_epoch": 8}
    begin(tmp_path, "train", "paper", **given, epochs=1).run()
    begin(tmp_path, "train", "paper", "evaluate", **given).run()
    for fold in (1, 2):
        begin(tmp_path / str(fold), "train", "paper", fold=fold, **given).parser.get_parsed_content("split")
    folders = [tmp_path / "eval" / "paper", *(tmp_path / str(fold) / "eval" / "paper" for fold in (1, 2))]
    tested: list[str] = []
    for folder in folders:
        split = read_split(folder)
        sides = [set(split[side]) for side in ("train", "validation", "test")]
        assert (split["protocol"], sum(map(len, sides)), len(set.union(*sides))) == ("paper", 32, 32)
        assert len(sides[0] | sides[1]) / 32 == pytest.approx(0.7, abs=0.05)
        tested += split["test"]
    assert len(set(tested)) < len(tested)
    metrics = json.loads((folders[0] / "metrics.json").read_text())
    assert (metrics["protocol"], metrics["patients"]) == ("paper", len(read_split(folders[0])["test"]))
    assert load(tmp_path / "models" / "paper.pt")["provenance"]["protocol"] == "paper"
    page = (folders[0] / "report.html").read_text(encoding="utf-8")
    assert "the test sides of its three splits overlap" in page


def test_weights_of_one_recipe_are_not_judged_by_the_other(begin: Start, trained: Path, tmp_path: Path) -> None:
    checkpoint = str(trained / "models" / "model.pt")
    error = refused(begin, tmp_path, "train", "paper", "evaluate", checkpoint=checkpoint, folds=3, seed=1)
    assert isinstance(error, CheckpointError)
    assert "configs/paper.yaml" in str(error)


def test_a_network_of_three_classes_is_judged_on_another_cohort_of_tumours(
    begin: Start, trained: Path, tmp_path: Path
) -> None:
    given = {"healthy_dir": None, "split_method": "external", "allow_trained_on": "true"}
    told = {"checkpoint": str(trained / "models" / "model.pt"), **given}
    assert '--classes ["LGG","HGG","healthy"]' in str(refused(begin, tmp_path, "train", "evaluate", **told))
    begin(tmp_path, "train", "evaluate", classes=["LGG", "HGG", "healthy"], **told).run()
    metrics = json.loads((tmp_path / "eval" / "metrics.json").read_text())
    assert metrics["patients"] == metrics["subgroup"]["patients"] == 20
    assert metrics["subgroup"]["taken_for_healthy"] == sum(
        read_predictions(tmp_path / "eval")["predicted"] == "healthy"
    )


def test_shuffled_labels_are_stamped(begin: Start, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"permute_labels": "true", "healthy_dir": None}
    begin(tmp_path, "train", **settings).run()
    begin(tmp_path, "train", "evaluate", **settings).run()
    assert load(tmp_path / "models" / "model.pt")["provenance"]["settings"]["permute_labels"] is True
    assert "shuffled" in (tmp_path / "eval" / "report.html").read_text(encoding="utf-8")
    assert not json.loads((tmp_path / "eval" / "metrics.json").read_text())["verdict"]["claim"]
    error = refused(begin, tmp_path, "inference", classes=["LGG", "HGG"])
    assert isinstance(error, CheckpointError)
    assert "shuffled between patients" in str(error)
