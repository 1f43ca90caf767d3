"""Attempts to test on what was trained on, in one place: each is refused, or told.

The variants of each kind are in the tests of the module that refuses it.
"""

from __future__ import annotations

import csv
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from common.cohorts.labels.survival_classes import fit_survival_classes
from common.cohorts.reading import read_cohort
from common.copies.search import search_copies
from common.copies.subjects import group_copies
from common.errors import CheckpointError, DatasetError, SplitError, SplitLeakageError
from common.networks.weights.checkpoints import save_weights
from common.networks.weights.provenance import continue_from, describe_provenance, load_for_evaluation
from common.phantoms.writing.dicom_writer import write_slice
from common.records import HEALTHY, MODALITIES
from common.splits.manifest import SplitManifest, load_manifest
from common.splits.resolve import resolve_split, side_records, with_scans
from common.transforms.brain.cache import prepare_brains
from common.transforms.clinical import fit_clinical
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.masks.cache import prepare_masks
from common.transforms.recognition import RecogniseScand
from common.transforms.series.cache import prepare_series
from common.transforms.slices.cache import prepare_slices
from common.transforms.volumes.cache import prepare_volumes
from tests.copies.near_copies import make_slice, save
from tests.leaks.scans import MOVES, SAVED_ANEW, Change, scaled, write_scan

TRAINS = sorted((Path(__file__).resolve().parents[2] / "bundles").glob("*/configs/train*.yaml"))

Write = Callable[..., dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return partial(write_scan, tmp_path)


def prepare(records: Sequence[dict[str, Any]], folder: Path) -> list[Any]:
    return prepare_slices(records, folder / "cache", gap=2)


# One patient under two ids of a cohort


def test_a_renamed_patient(write: Write, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(name, seed=1)
    with (tmp_path / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["subject", *MODALITIES])
        rows.writerows([name, *(f"{name}_{key}.nii" for key in MODALITIES)] for name in ("a", "b"))
    with pytest.raises(DatasetError, match="patient b has the same file as patient a"):
        read_cohort(datalist=tmp_path / "list.csv", need_seg=False)


@pytest.mark.parametrize(("change", "ending"), SAVED_ANEW.values(), ids=SAVED_ANEW)
def test_a_file_saved_anew(write: Write, tmp_path: Path, change: Change, ending: str) -> None:
    with pytest.raises(DatasetError, match="these two are the same scan: a and z") as caught:
        prepare([write("a", 1), write("b", 2), write("z", 1, change, ending)], tmp_path)
    (problem,) = caught.value.problems
    assert "flair, t1, t1ce, t2" in problem.what and "a_flair.nii and " in str(problem.where)


@pytest.mark.parametrize("shared", [MODALITIES[1:], ["t2"]], ids=["all but FLAIR", "one modality"])
def test_shared_files(write: Write, tmp_path: Path, shared: Sequence[str]) -> None:
    first, second = write("a", 1), write("b", 2)
    with pytest.raises(DatasetError, match=f"a and b hold the same voxels .{', '.join(shared)}"):
        prepare([first, {**second, **{key: first[key] for key in shared}}], tmp_path)


def test_a_modality_as_another_patients_modality(write: Write, tmp_path: Path) -> None:
    first, second = write("a", 1), write("b", 2)
    with pytest.raises(DatasetError, match="t1 of a is flair of b"):
        prepare([first, {**second, "flair": first["t1"]}], tmp_path)


def test_a_scan_of_one_subject_may_be_there_twice(write: Write, tmp_path: Path) -> None:
    cases = prepare([write("a", 1), {**write("b", 1), "subject": "a", "scan": "a again"}, write("c", 2)], tmp_path)
    assert [case["subject"] for case in cases] == ["a", "a", "c"]


@pytest.mark.parametrize("grade", [HEALTHY, "LGG"], ids=["a healthy scan twice", "a patient among the healthy"])
def test_healthy_people(write: Write, tmp_path: Path, grade: str) -> None:
    people = [{**write("IXI002", 1), "grade": HEALTHY}, {**write("IXI003", 1, scaled), "grade": grade}]
    with pytest.raises(DatasetError, match="same scan: IXI002 and IXI003"):
        prepare_volumes(people, tmp_path / "cache", size=(8, 8, 8), brain_extraction="none")


def test_a_mask_of_another_patient(write: Write, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"same scan: a and b hold the same voxels \(seg\)"):
        prepare_masks([write("a", 1), {**write("b", 2), "seg": write("c", 1)["seg"]}], tmp_path / "cache")


def test_a_series_under_another_id(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 900, (9, 12, 10)).astype(np.int16)
    for name in ("00001", "00002"):
        for number, plane in enumerate(pixels):
            write_slice(tmp_path / name / f"{number}.dcm", plane, (0, 0, number), (1, 1), name, number=number)
    records = [{"subject": name, "flair": str(tmp_path / name)} for name in ("00001", "00002")]
    with pytest.raises(DatasetError, match="same scan: 00001 and 00002"):
        prepare_series(records, tmp_path / "cache", ["flair"], 3, size=(8, 6))


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_moved_copy_is_told(write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture, move: Change) -> None:
    with caplog.at_level(logging.WARNING):
        prepare([write("a", 1), write("b", 1, move)], tmp_path)
    assert "mirrored copy: flair of a and flair of b" in caplog.text


def test_two_modalities_that_are_one_are_told(write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    record = write("a", 1)
    shutil.copy(record["t1"], record["t1ce"])
    with caplog.at_level(logging.WARNING):
        prepare([record], tmp_path)
    assert "t1 and t1ce of a hold the same voxels" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"), [("001", "1"), ("P01", "p01"), ("M\u00fcller", "Mu\u0308ller"), ("P 1", "P1"), ("P1", "P\u200b1")]
)
def test_ids_that_look_alike_are_told(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture, one: str, other: str
) -> None:
    entries = [
        {"subject": name, **{key: path for key, path in write(f"scan{number}", number).items() if key in MODALITIES}}
        for number, name in enumerate((one, other))
    ]
    (tmp_path / "list.json").write_text(json.dumps({"training": entries}))
    with caplog.at_level(logging.WARNING):
        read_cohort(datalist=tmp_path / "list.json", need_seg=False)
    assert "may stand on both sides of the split" in caplog.text


def test_a_copied_slice_that_was_turned_stays_with_its_source(tmp_path: Path) -> None:
    images = {f"s{seed}": make_slice(seed) for seed in range(4)}
    images["copy"] = images["s0"].rotate(90, expand=True)
    records = [{**save(image, tmp_path / f"{name}.png"), "label": 0} for name, image in images.items()]
    grouped = {record["scan"]: record["subject"] for record in group_copies(records, search_copies(records, workers=1))}
    assert grouped["copy"] == grouped["s0"] and len(set(grouped.values())) == 4


# A split that is not one


def write_split(path: Path, **sides: list[str]) -> Path:
    path.write_text(json.dumps({"train": [], "validation": [], "test": [], **sides}))
    return path


@pytest.mark.parametrize(
    ("train", "test"),
    [("a", "a"), ("a#1", "a#2"), ("Brats18_CBICA_AAB_1", "BraTS19_CBICA_AAB_1")],
    ids=["folds mixed up", "slices of a patient", "two releases"],
)
def test_a_patient_on_two_sides(tmp_path: Path, train: str, test: str) -> None:
    with pytest.raises(SplitLeakageError):
        load_manifest(write_split(tmp_path / "split.json", train=[train, "b"], test=[test]))


def test_an_edited_manifest(tmp_path: Path) -> None:
    cohort = [{"subject": f"p{number}", "grade": "HGG"} for number in range(10)]
    split = resolve_split(cohort, tmp_path)
    content = json.loads((tmp_path / "split.json").read_text())
    content["test"].append(content["train"].pop())
    (tmp_path / "split.json").write_text(json.dumps(content))
    with pytest.raises(SplitError, match="changed after it was made"):
        resolve_split(cohort, tmp_path)
    assert len(split.sides["test"]) == 2


def test_another_fold_in_the_folder_of_a_run(tmp_path: Path) -> None:
    cohort = [{"subject": f"p{number}", "grade": "HGG"} for number in range(10)]
    resolve_split(cohort, tmp_path, fold=0)
    with pytest.raises(SplitError, match="fold was 0 and is 1"):
        resolve_split(cohort, tmp_path, fold=1)


# Weights that know a patient of the side that is judged


def split(train: str, validation: str = "", test: str = "", cases: Sequence[Any] = ()) -> SplitManifest:
    """Of patients with one letter for a name."""
    sides = {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}
    return with_scans(SplitManifest(sides, "cohort"), cases)


def trained(folder: Path, manifest: SplitManifest, start: dict[str, Any] | None = None, **settings: Any) -> Path:
    """Weights that were trained on this split."""
    path = folder / f"{len(list(folder.glob('*.pt')))}.pt"
    save_weights(path, nn.Linear(2, 2).state_dict(), describe_provenance("bundle", manifest, start, **settings))
    return path


def judge(weights: Path, manifest: SplitManifest, **settings: Any) -> None:
    load_for_evaluation(nn.Linear(2, 2), weights, manifest, **settings)


@pytest.mark.parametrize(
    ("train", "validation"), [("ab", "c"), ("bc", "a")], ids=["learned from", "best epoch chosen on"]
)
def test_a_checkpoint_of_another_split(tmp_path: Path, train: str, validation: str) -> None:
    with pytest.raises(SplitLeakageError, match=r"evaluate on: a\."):
        judge(trained(tmp_path, split(train, validation)), split("d", "e", "a"))


def test_weights_that_keep_silent(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "bare.pt")
    with pytest.raises(CheckpointError, match="does not say which patients"):
        judge(tmp_path / "bare.pt", split("a", test="b"))


def test_a_checkpoint_of_the_papers_split(tmp_path: Path) -> None:
    shared = SplitManifest({"train": ("a#1",), "validation": (), "test": ("a#2",)}, "", "paper", unit="slice")
    with pytest.raises(CheckpointError, match="trained with --split_by paper"):
        judge(trained(tmp_path, shared), split("b", test="a"))


def test_an_ensemble_over_the_folds(tmp_path: Path) -> None:
    """The network of fold 1 was trained on fold 0's test side."""
    members = [trained(tmp_path, split("cd", "b", "a")), trained(tmp_path, split("ad", "c", "b"))]
    judge(members[0], split("cd", "b", "a"))
    with pytest.raises(SplitLeakageError):
        judge(members[1], split("cd", "b", "a"))


def test_a_pre_trained_start(tmp_path: Path) -> None:
    weights = trained(tmp_path, split("ab"))
    with pytest.raises(SplitLeakageError, match="test side: a"):
        continue_from(nn.Linear(2, 2), weights, split("c", "d", "a"))


def test_what_the_start_of_a_start_learned_from(tmp_path: Path) -> None:
    first = continue_from(nn.Linear(2, 2), trained(tmp_path, split("a")), split("b", "c", "d"))
    with pytest.raises(SplitLeakageError, match="evaluate on: a"):
        judge(trained(tmp_path, split("b", "c", "d"), first), split("b", "c", "a"))


def test_a_later_stage_on_another_split(tmp_path: Path) -> None:
    weights = trained(tmp_path, split("ab"), stage=1)
    with pytest.raises(SplitLeakageError, match="validation side: b"):
        continue_from(nn.Linear(2, 2), weights, split("a", "b", "c"), stage=2)


@pytest.fixture
def renamed(write: Write, tmp_path: Path) -> tuple[list[Any], list[Any]]:
    """The cases that a network is trained on, a and b; and those of another cohort, y and z, of whom z is a."""
    known = prepare([write("a", 1), write("b", 2)], tmp_path)
    again = {**write("z", 3), "t2": write("z", 1, scaled, ".nii.gz")["t2"]}
    return known, prepare([write("y", 4), again], tmp_path)


ANOTHER_ID = r"z \(the same scan under another id\)"


def test_a_renamed_scan_is_not_judged(tmp_path: Path, renamed: tuple[list[Any], list[Any]]) -> None:
    known, others = renamed
    weights = trained(tmp_path, split("ab", cases=known))
    with pytest.raises(SplitLeakageError, match=f"evaluate on: {ANOTHER_ID}"):
        judge(weights, split("", test="yz", cases=others))
    judge(weights, split("", test="y", cases=others))
    judge(weights, split("", test="yz", cases=others), allow_trained_on=True)


def test_a_start_that_knows_a_renamed_scan(tmp_path: Path, renamed: tuple[list[Any], list[Any]]) -> None:
    known, others = renamed
    with pytest.raises(SplitLeakageError, match=f"test side: {ANOTHER_ID}"):
        continue_from(nn.Linear(2, 2), trained(tmp_path, split("ab", cases=known)), split("y", "", "z", others))


def test_a_segmentation_that_makes_the_masks_of_a_renamed_patient(write: Write, tmp_path: Path) -> None:
    """The combined system of P3: the survival network has its split from masks, the segmentation has seen images."""
    known = prepare_brains([write("a", 1)], tmp_path / "cache")
    segmentation = trained(tmp_path, split("a", cases=known))
    by_masks = split("", test="z", cases=prepare_masks([write("z", 1, scaled)], tmp_path / "cache"))
    judge(segmentation, by_masks)
    imaged = prepare_brains([write("z", 1, scaled)], tmp_path / "cache")
    with pytest.raises(SplitLeakageError, match=ANOTHER_ID):
        judge(segmentation, with_scans(by_masks, imaged))


def test_inference_on_a_scan_that_was_trained_on_is_told(
    write: Write, tmp_path: Path, renamed: tuple[list[Any], list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    recognise = RecogniseScand(split("ab", cases=renamed[0]).provenance())
    with caplog.at_level(logging.WARNING):
        assert [recognise(LoadImageModalitiesd()(case))["trained_on"] for case in renamed[1]] == ["no", "yes"]
    assert "z: this scan was trained on" in caplog.text


# What is fitted to patients is fitted to those of the training side


FITTED: dict[str, Callable[[Sequence[Any]], Any]] = {
    "scaler of ages": lambda side: fit_clinical(side, "age", False),
    "tertiles of survival": fit_survival_classes,
}


@pytest.mark.parametrize("fit", FITTED.values(), ids=FITTED)
def test_other_sides_do_not_move_what_is_fitted(fit: Callable[[Sequence[Any]], Any]) -> None:
    manifest = split("abcdef", "g", "hi")
    cohort = [
        {"subject": name, "age": 40.0 + place, "survival_days": 100.0 + 10 * place, "alive": False}
        for place, name in enumerate("abcdefghi")
    ]
    other = [
        {**record, "age": 5.0, "survival_days": 9.0} if record["subject"] in "ghi" else record for record in cohort
    ]
    assert fit(side_records(other, manifest, "train")) == fit(side_records(cohort, manifest, "train"))
    assert fit(other) != fit(cohort)


@pytest.mark.parametrize("config", TRAINS, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_every_config_fits_to_the_training_side(config: Path) -> None:
    """Scalers, tertiles, the median and class weights; ``learnt`` is what the weights that are judged bring."""
    lines = [line for line in config.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    fitted = [line for line in lines if any(word in line for word in ("fit_", "median_days(", "_weights(@train"))]
    assert fitted or "segmentation" in str(config)
    for line in fitted:
        assert any(side in line for side in ("(@cases, @split, 'train')", "@training_cases", "@train#dataset#data")), (
            line
        )
