from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from common import __version__
from common.errors import CheckpointError, SplitLeakageError
from common.networks.weights import provenance as provenances
from common.networks.weights.checkpoints import load_checked, provenance_of, save_weights
from common.networks.weights.provenance import (
    continue_from,
    describe_provenance,
    load_for_evaluation,
    load_for_inference,
    read_provenance,
)
from common.splits.guard import hash_subject
from common.splits.manifest import SplitManifest
from tests.facts import in_order


def split(train: str, validation: str = "", test: str = "", protocol: str = "patient") -> SplitManifest:
    sides = {"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}
    return SplitManifest(sides, "cohort", protocol=protocol)


def checkpoint(path: Path, manifest: SplitManifest, start: dict[str, Any] | None = None) -> Path:
    torch.manual_seed(1)
    provenance = describe_provenance("bundle", manifest, start, stage=1, spacing=(1.0, 1.0))
    save_weights(path, nn.Linear(2, 2).state_dict(), provenance)
    return path


def hashes(subjects: str) -> list[str]:
    return sorted(hash_subject(subject) for subject in subjects)


def test_what_a_checkpoint_says_of_its_run() -> None:
    manifest = split("AB", "C", "D")
    assert describe_provenance("glioma_segmentation", manifest, stage=2, modalities=("t1", "t2")) == {
        "bundle": "glioma_segmentation",
        "version": __version__,
        "stage": 2,
        "modalities": ["t1", "t2"],
        "protocol": "patient",
        "split_hash": manifest.hash,
        "training_subjects": hashes("AB"),
        "training_scans": [],
        "validation_subjects": hashes("C"),
        "validation_scans": [],
        "validation_patients": 1,
    }


def test_what_an_earlier_stage_learned_from_counts_too() -> None:
    first = describe_provenance("b", split("XY", "Z"))
    second = describe_provenance("b", split("AX", "C"), first)
    assert second["training_subjects"] == hashes("AXY")
    assert second["validation_subjects"] == hashes("CZ")
    assert second["validation_patients"] == 1  # of this run alone


def test_it_loads_without_code(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "model.pt", split("AB", "C", "D"))
    assert provenance_of(load_checked(path))["spacing"] == [1.0, 1.0]
    assert read_provenance(path)["bundle"] == "bundle"


def test_patients_that_were_learned_from_are_not_judged(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "model.pt", split("AB", "C", "DE"))
    network = nn.Linear(2, 2)
    other = split("A", "", "BD")
    with pytest.raises(SplitLeakageError) as caught:
        load_for_evaluation(network, path, other)
    told = str(caught.value)
    assert "it learned from patients to evaluate on: B." in told
    assert str(path) in told
    assert load_for_evaluation(network, path, other, allow_trained_on=True)["bundle"] == "bundle"
    with pytest.raises(SplitLeakageError, match=r"chosen on patients to evaluate on: C\."):
        load_for_evaluation(network, path, split("A", "B", "C"))


def test_the_side_of_ones_own_split_is_judged(tmp_path: Path) -> None:
    manifest = split("AB", "C", "DE")
    path = checkpoint(tmp_path / "model.pt", manifest)
    network = nn.Linear(2, 2)
    assert load_for_evaluation(network, path, manifest)["stage"] == 1
    assert torch.equal(network.weight, load_checked(path)["weight"])
    for side in ("train", "validation"):
        with pytest.raises(SplitLeakageError):
            load_for_evaluation(network, path, manifest, side)


def test_of_a_papers_split_the_test_side_alone_is_judged_unasked(tmp_path: Path) -> None:
    """Slices of one patient are on all sides, by the paper's design."""
    published = split(["A#1", "B#1"], ["A#2"], ["B#2"], "paper")
    path = checkpoint(tmp_path / "model.pt", published)
    network = nn.Linear(2, 2)
    assert load_for_evaluation(network, path, published)["stage"] == 1
    for side in ("train", "validation"):
        with pytest.raises(SplitLeakageError, match="learned from patients"):
            load_for_evaluation(network, path, published, side)
        assert load_for_evaluation(network, path, published, side, allow_trained_on=True)["stage"] == 1


def test_another_split_is_refused_and_names_the_knob(tmp_path: Path) -> None:
    published, ours = split("AB", "C", "D", "paper"), split("AB", "C", "D")
    path = checkpoint(tmp_path / "model.pt", published)
    with pytest.raises(CheckpointError, match=r"trained with --split_by paper.*Give --split_by paper"):
        load_for_evaluation(nn.Linear(2, 2), path, ours)
    load_for_evaluation(nn.Linear(2, 2), path, published)
    path = checkpoint(tmp_path / "model.pt", ours)
    with pytest.raises(CheckpointError, match="Give --split_by patient"):
        load_for_evaluation(nn.Linear(2, 2), path, published, allow_trained_on=True)


@pytest.mark.parametrize(
    ("recorded", "split_by", "run", "told"),
    [
        ({"recipe": "paper"}, "patient", "ours", r"by the paper's recipe.*Add configs/paper\.yaml to"),
        ({"recipe": "ours"}, "patient", "paper", r"by our recipe.*Leave configs/paper\.yaml out of"),
        ({}, "paper", "ours", r"by the paper's recipe"),  # of before: the paper's split came with its recipe
        ({}, "patient", "paper", r"by our recipe"),
    ],
)
def test_another_recipe_is_refused_and_names_the_overlay(
    recorded: dict[str, str], split_by: str, run: str, told: str, tmp_path: Path
) -> None:
    manifest, path = split("AB", "C", "D", split_by), tmp_path / "model.pt"
    save_weights(path, nn.Linear(2, 2).state_dict(), describe_provenance("bundle", manifest, **recorded))
    with pytest.raises(CheckpointError, match=told):
        load_for_evaluation(nn.Linear(2, 2), path, manifest, recipe=run)
    other = {"ours": "paper", "paper": "ours"}[run]
    assert load_for_evaluation(nn.Linear(2, 2), path, manifest, recipe=other)["bundle"] == "bundle"


def test_weights_that_do_not_say_whom_they_learned_from(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "bare.pt")
    with pytest.raises(CheckpointError, match="does not say which patients"):
        load_for_evaluation(nn.Linear(2, 2), tmp_path / "bare.pt", split("A", "B", "C"))
    assert load_for_evaluation(nn.Linear(2, 2), tmp_path / "bare.pt", split("A", "B", "C"), allow_trained_on=True) == {}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_run_from_scratch_continues_from_nothing(nothing: str | None) -> None:
    assert continue_from(nn.Linear(2, 2), nothing, split("A", "B", "C")) == {}


def test_a_later_stage_continues_on_the_same_split(tmp_path: Path) -> None:
    manifest = split("AB", "C", "D")
    path = checkpoint(tmp_path / "model.pt", manifest)
    network = nn.Linear(2, 2)
    assert continue_from(network, path, manifest)["training_subjects"] == hashes("AB")
    assert torch.equal(network.weight, load_checked(path)["weight"])


@pytest.mark.parametrize(
    ("now", "side"),
    [(("BC", "A", "D"), "validation side: A"), (("BC", "D", "A"), "test side: A"), (("AB", "D", "C"), "test side: C")],
)
def test_a_start_that_has_seen_the_held_out_patients_is_refused(
    tmp_path: Path, now: tuple[str, str, str], side: str
) -> None:
    path = checkpoint(tmp_path / "model.pt", split("AB", "C", "D"))
    with pytest.raises(SplitLeakageError, match=side):
        continue_from(nn.Linear(2, 2), path, split(*now))


def test_a_start_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, opened = staged(tmp_path / "model.pt", 1, deep=False), []

    def load(weights: Path) -> Any:
        opened.append(weights)
        return load_checked(weights)

    monkeypatch.setattr(provenances, "load_checked", load)
    continue_from(Staged(deep=True), path, split("AB", "C", "D"), stage=2)
    assert opened == [path]


class Staged(nn.Module):
    """A network with the head of the U-Net's stages."""

    def __init__(self, deep: bool) -> None:
        super().__init__()
        self.unet = nn.Module()
        self.unet.decoder = nn.Linear(2, 4)
        self.unet.segmentation_head = nn.Sequential(nn.Linear(4, 4), *([nn.Linear(4, 4)] if deep else []))


def staged(path: Path, stage: int | None, deep: bool) -> Path:
    provenance = describe_provenance("b", split("AB", "C", "D"), **({"stage": stage} if stage else {}))
    save_weights(path, Staged(deep).state_dict(), provenance)
    return path


@pytest.mark.parametrize(("found", "stage"), [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 2), (None, 2), (None, 3)])
def test_a_stage_continues_from_the_one_before_or_from_itself(tmp_path: Path, found: int | None, stage: int) -> None:
    deep = stage == 3 or found in (2, 3)
    path = staged(tmp_path / "model.pt", found, deep)
    network = Staged(stage > 1)
    continue_from(network, path, split("AB", "C", "D"), stage=stage)
    assert torch.equal(network.unet.decoder.weight, load_checked(path)["unet.decoder.weight"])


def test_stage_3_is_refused_a_start_from_stage_1(tmp_path: Path) -> None:
    path = staged(tmp_path / "model.pt", 1, deep=False)
    with pytest.raises(CheckpointError) as caught:
        continue_from(Staged(deep=True), path, split("AB", "C", "D"), stage=3)
    assert in_order(str(caught.value), str(path), "stage 1", "stage 3 continues from stage 2")
    assert in_order(str(caught.value), "configs/stage2.yaml", "--init_weights")


def test_stage_3_is_refused_a_start_whose_head_is_another_though_it_names_no_stage(tmp_path: Path) -> None:
    path = staged(tmp_path / "model.pt", None, deep=False)
    with pytest.raises(CheckpointError, match="segmentation_head"):
        continue_from(Staged(deep=True), path, split("AB", "C", "D"), stage=3)


def test_settings_and_bundle_must_fit_where_weights_are_loaded(tmp_path: Path) -> None:
    manifest = split("AB", "C", "D")
    provenance = describe_provenance("grade", manifest, settings={"units": (64, 64), "encoder": {"age": [1.0, 2.0]}})
    assert provenance["settings"] == {"units": [64, 64], "encoder": {"age": [1.0, 2.0]}}
    path = tmp_path / "model.pt"
    save_weights(path, nn.Linear(2, 2).state_dict(), provenance)
    for load in (load_for_evaluation, continue_from):
        assert load(nn.Linear(2, 2), path, manifest, settings={"units": [64, 64]}, bundle="grade") == provenance
        with pytest.raises(CheckpointError, match=r"It was trained with --units \[64,64\]: pass the same"):
            load(nn.Linear(2, 2), path, manifest, settings={"units": [32, 64]})
        with pytest.raises(CheckpointError, match="it was trained by the bundle grade, and this is survival"):
            load(nn.Linear(2, 2), path, manifest, bundle="survival")


def test_an_image_is_known_by_its_own_name_whatever_its_group_is_called(tmp_path: Path) -> None:
    """A is a group of A and B; another run, with another threshold, has B in a group of its own."""
    grouped = SplitManifest({"train": ("A",), "validation": (), "test": ("C",)}, "", scans={"A": ("A", "B")})
    path = checkpoint(tmp_path / "model.pt", grouped)
    for load in (load_for_evaluation, continue_from):
        with pytest.raises(SplitLeakageError, match="B"):
            load(nn.Linear(2, 2), path, split("C", test="B"))
        load(nn.Linear(2, 2), path, split("C", test="D"))
    alone = checkpoint(tmp_path / "alone.pt", split("B", test="C"))
    merged = SplitManifest({"train": ("C",), "validation": (), "test": ("A",)}, "", scans={"A": ("A", "B")})
    with pytest.raises(SplitLeakageError, match="B"):
        load_for_evaluation(nn.Linear(2, 2), alone, merged)


def bare(path: Path) -> Path:
    """Weights whose provenance another program lost."""
    torch.save(dict(nn.Linear(2, 2).state_dict()), path)
    return path


def as_safetensors(path: Path) -> Path:
    """PyTorch's own ``load`` reads them as a state dict."""
    path = path.with_suffix(".safetensors")
    safetensors.torch.save_file(nn.Linear(2, 2).state_dict(), path)
    return path


def test_what_is_recorded_is_taken_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "model.pt"
    save_weights(path, nn.Linear(2, 2).state_dict(), {"bundle": "b", "spacing": None, "encoder": {"features": ["age"]}})
    found = load_for_inference(nn.Linear(2, 2), path, bundle="b", clinical_features=["age"], assumed={"spacing": [1.0]})
    assert found == {"bundle": "b", "spacing": None, "encoder": {"features": ["age"]}}
    assert caplog.text == ""


@pytest.mark.parametrize("save", [bare, as_safetensors])
def test_what_was_lost_is_assumed_and_said(
    save: Callable[[Path], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = save(tmp_path / "model.pt")
    assumed = {"slices": {"gap": 30}, "spacing": None}
    found = load_for_inference(nn.Linear(2, 2), path, settings={"backbone": "resnet18"}, assumed=assumed)
    assert found == assumed
    (told,) = (record.getMessage() for record in caplog.records)
    assert str(path) in told
    for part in ("nothing about its training", 'backbone: "resnet18"', 'slices: {"gap": 30}', "spacing: any"):
        assert part in told


def test_a_part_that_is_not_recorded_is_assumed_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "model.pt"
    save_weights(path, nn.Linear(2, 2).state_dict(), {"bundle": "b"})
    found = load_for_inference(nn.Linear(2, 2), path, settings={"units": 2}, assumed={"spacing": None})
    assert found == {"bundle": "b", "spacing": None}
    assert "it does not record spacing. Assumed: spacing: any." in caplog.text
    assert "units" not in caplog.text


def test_weights_that_need_nothing_of_their_provenance_say_that_it_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_for_inference(nn.Linear(2, 2), bare(tmp_path / "bare.pt")) == {}
    assert "Assumed: the settings of this run." in caplog.text


def test_clinical_values_are_refused_without_the_ranges_they_were_scaled_by(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not record how age and resection were scaled") as caught:
        load_for_inference(nn.Linear(2, 2), bare(tmp_path / "bare.pt"), clinical_features=("age", "resection"))
    assert "Give the file that training wrote" in str(caught.value)


def test_an_evaluation_says_that_it_fits_anew_what_was_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_for_evaluation(nn.Linear(2, 2), bare(tmp_path / "bare.pt"), split("A", "B", "C"), allow_trained_on=True)
    assert "fitted anew on this run's training side" in caplog.text
