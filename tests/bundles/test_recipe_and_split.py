"""Recipe and split are two choices: four combinations of each training config, and what each of them splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from common.errors import SplitError, find_glioma_error
from common.names import subject_of
from common.splits.manifest import SIDES, SplitManifest

pytestmark = pytest.mark.slow

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
GRADE, SURVIVAL = "glioma_grade_classification", "glioma_survival_classification"
VOLUMES, PICTURES = "glioma_spatiospatial_classification", "brain_tumor_classification"

PAPER_SPLITS: dict[tuple[str, str], tuple[str, str, tuple[float, ...]]] = {
    (GRADE, "train"): ("image", "image_split", (0.72, 0.08, 0.2)),
    (SURVIVAL, "train"): ("image", "image_split", (0.72, 0.08, 0.2)),
    (SURVIVAL, "train_masks"): ("slice", "slice_split", (0.7, 0.15, 0.15)),
    ("glioma_segmentation", "train"): ("slice", "slice_split", (0.8, 0.1, 0.1)),
    (VOLUMES, "train"): ("subject", "monte_carlo", (0.6, 0.1, 0.3)),
    (PICTURES, "train"): ("subject", "hold_out_k_fold", (0.533, 0.267, 0.2)),
    ("mgmt_classification", "train"): ("slice", "slice_split", (0.8, 0, 0.2)),
}
"""What each paper split, how, and into what shares."""

SAME_COHORT = [*{*PAPER_SPLITS} - {(GRADE, "train"), (SURVIVAL, "train"), (SURVIVAL, "train_masks")}]
"""Whose recipes learn from the same patients."""

every_train = pytest.mark.parametrize(("bundle", "train"), PAPER_SPLITS)


@pytest.fixture
def data(classifiable: Path, series_dir: Path, images_dir: Path) -> dict[str, Path]:
    return {PICTURES: images_dir, "mgmt_classification": series_dir, GRADE: classifiable, SURVIVAL: classifiable}


@pytest.fixture
def split_of(data: dict[str, Path], classifiable: Path, tmp_path: Path) -> Any:
    """The split of a run, as its configs make it: ``split_of(bundle, "train", "paper", "patient")``."""

    def split(bundle: str, train: str, recipe: str, split_by: str, **settings: Any) -> SplitManifest:
        from monai.bundle import ConfigParser

        overlays = [train.replace("train", "paper")] if recipe == "paper" else []
        files = [BUNDLES / bundle / "configs" / f"{name}.yaml" for name in (train, *overlays)]
        parser = ConfigParser(ConfigParser.load_config_files(files))
        assert parser.get_parsed_content("recipe") == recipe
        folder = tmp_path / bundle / train / recipe / split_by
        small = {"samples": "modality"} if split_by == "paper" and "samples" in parser else {}
        given = {"dataset_dir": str(data.get(bundle, classifiable)), "output_dir": str(folder), "slice_gap": 6}
        known = {name: value for name, value in {**given, **small, **settings}.items() if name in parser}
        parser.update({**known, "split_by": split_by})
        made: SplitManifest = parser.get_parsed_content("split")
        return made

    return split


def patients_on(split: SplitManifest, *sides: str) -> set[str]:
    return {subject_of(unit) for side in sides for unit in split.sides[side]}


@every_train
@pytest.mark.parametrize("recipe", ["ours", "paper"])
def test_each_recipe_can_be_split_by_patient(split_of: Any, bundle: str, train: str, recipe: str) -> None:
    split = split_of(bundle, train, recipe, "patient")
    assert (split.protocol, split.unit) == ("patient", "subject")
    assert split.method == ("hold_out_k_fold" if bundle == PICTURES else "k_fold")
    assert not patients_on(split, "train", "validation") & patients_on(split, "test")
    assert all(split.sides[side] for side in SIDES)


@every_train
@pytest.mark.parametrize("recipe", ["ours", "paper"])
def test_each_recipe_can_be_split_as_the_paper_did(split_of: Any, bundle: str, train: str, recipe: str) -> None:
    unit, method, shares = PAPER_SPLITS[bundle, train]
    split = split_of(bundle, train, recipe, "paper")
    assert (split.protocol, split.unit, split.method) == ("paper", unit, method)
    counts = [len(split.sides[side]) for side in SIDES]
    assert [count / sum(counts) for count in counts] == pytest.approx(shares, abs=0.05)
    assert bool(patients_on(split, "train") & patients_on(split, "test")) == (unit != "subject")


@pytest.mark.parametrize(("bundle", "train"), sorted(SAME_COHORT))
@pytest.mark.parametrize("split_by", ["patient", "paper"])
def test_the_recipe_moves_no_patient(split_of: Any, bundle: str, train: str, split_by: str) -> None:
    assert split_of(bundle, train, "ours", split_by) == split_of(bundle, train, "paper", split_by)


@pytest.mark.parametrize("recipe", ["ours", "paper"])
def test_copies_are_apart_in_the_papers_split_alone(split_of: Any, recipe: str) -> None:
    together, apart = (split_of(PICTURES, "train", recipe, split_by) for split_by in ("patient", "paper"))
    group_of = {name: group for group, names in together.scans.items() for name in names}
    assert len(set(group_of.values())) < len(group_of)
    groups = {side: {group_of[image] for image in apart.sides[side]} for side in ("train", "test")}
    assert groups["train"] & groups["test"]
    assert apart.stratify_by is None
    assert together.stratify_by == "label"


@pytest.mark.parametrize("bundle", [GRADE, SURVIVAL])
def test_images_that_are_channels_of_one_sample_cannot_be_on_two_sides(
    start: Any, classifiable: Path, bundle: str, tmp_path: Path
) -> None:
    workflow = start(tmp_path, "train", bundle=bundle, dataset_dir=str(classifiable), split_by="paper")
    with pytest.raises(Exception) as caught:
        workflow.run()
    error = find_glioma_error(caught.value)
    assert isinstance(error, SplitError)
    assert "Give --samples modality, or --split_by patient" in str(error)
