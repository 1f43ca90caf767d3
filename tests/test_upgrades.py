"""What docs/upgrading.md promises of files that version 0.1.0, or one before it, has written."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch

import common
from common.errors import CheckpointError, SplitLeakageError
from common.networks.weights.provenance import load_for_evaluation
from common.splits.guard import hash_scan, hash_subject
from common.splits.manifest import load_manifest

BY_PATIENT: dict[str, Any] = {
    "hash": "839b3b86908daea2f9ad64f63fa492172e2f6997c38b7b0079dfd1c76a8982c2",
    "protocol": "patient",
    "method": "k_fold",
    "unit": "subject",
    "seed": 0,
    "fold": 0,
    "folds": 5,
    "train_share": None,
    "stratify_by": "grade",
    "cohort_hash": "503f248273fbb6c6e85a2ff9ee75283178b009f3ca92b4c98a72958393bccd1a",
    "train": ["A", "B"],
    "validation": ["C"],
    "test": ["D"],
}
OVER_SLICES: dict[str, Any] = {
    "hash": "4d1e314e912290559c999b46a1f0cf19095b32fc61e918435c8c8c6292ea9410",
    "protocol": "paper",
    "method": "slice_split",
    "unit": "slice",
    "seed": 0,
    "fold": None,
    "folds": None,
    "train_share": None,
    "stratify_by": None,
    "shares": [0.8, 0.1, 0.1],
    "cohort_hash": "b64e3448a83a5b86466465080361c1a7e1157a27ddccd4b68069cb18caffb74a",
    "train": ["A#0", "A#1"],
    "validation": ["B#4"],
    "test": ["A#2", "B#3"],
}
"""As 0.1.0 wrote them: hashes that change would make every split that there is one that somebody changed."""

HASHED = {"A": "559aead08264d579", "D": "3f39d5c348e5b79d"}
"""Patients, as the weights of 0.1.0 record them."""


@pytest.fixture
def network() -> torch.nn.Module:
    return torch.nn.Linear(2, 1)


def as_written(folder: Path, network: torch.nn.Module, layout: str, **provenance: Any) -> Path:
    """A checkpoint as 0.1.0 wrote it, or as it was ``before``."""
    weights = network.state_dict()
    content: Any = {"model": weights, "provenance": provenance}
    if layout == "0.1.0":
        content = OrderedDict(weights)
        content._metadata = {**weights._metadata, "provenance": provenance}  # type: ignore[attr-defined]
    torch.save(content, folder / "model.pt")
    return folder / "model.pt"


@pytest.mark.parametrize("split", [BY_PATIENT, OVER_SLICES])
def test_a_split_of_0_1_0_is_read_and_keeps_its_hash(tmp_path: Path, split: dict[str, Any]) -> None:
    (tmp_path / "split.json").write_text(json.dumps(split), encoding="utf-8")
    manifest = load_manifest(tmp_path / "split.json")
    assert manifest.hash == split["hash"]
    assert manifest.to_json() == split


def test_patients_and_scans_are_recognised_by_the_hashes_of_0_1_0() -> None:
    assert {subject: hash_subject(subject) for subject in HASHED} == HASHED
    assert hash_scan("abc") == "d66a35aef8f954f2"


@pytest.mark.parametrize("layout", ["0.1.0", "before"])
def test_weights_are_judged_on_whom_they_did_not_learn_from(
    tmp_path: Path, network: torch.nn.Module, layout: str
) -> None:
    (tmp_path / "split.json").write_text(json.dumps(BY_PATIENT), encoding="utf-8")
    split = load_manifest(tmp_path / "split.json")
    about = {"bundle": "mine", "version": "0.1.0", "protocol": "patient"}
    for seen, refused in (("A", False), ("D", True)):
        learnt = {"training_subjects": [HASHED[seen]], "validation_subjects": []}
        path = as_written(tmp_path, network, layout, **about, **learnt)
        other = torch.nn.Linear(2, 1)
        if refused:
            with pytest.raises(SplitLeakageError, match="D"):
                load_for_evaluation(other, path, split, bundle="mine")
        else:
            load_for_evaluation(other, path, split, bundle="mine", recipe="ours")
            assert torch.equal(other.weight, network.weight)


def test_the_recipe_of_weights_that_record_none_is_that_of_their_split(
    tmp_path: Path, network: torch.nn.Module
) -> None:
    (tmp_path / "split.json").write_text(json.dumps(OVER_SLICES), encoding="utf-8")
    split = load_manifest(tmp_path / "split.json")
    path = as_written(tmp_path, network, "before", protocol="paper", split_hash=split.hash)
    load_for_evaluation(network, path, split, recipe="paper")
    with pytest.raises(CheckpointError, match="by the paper's recipe"):
        load_for_evaluation(network, path, split, recipe="ours")


def test_the_changelog_has_a_section_of_this_version() -> None:
    text = (Path(__file__).resolve().parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{common.__version__}]" in text
