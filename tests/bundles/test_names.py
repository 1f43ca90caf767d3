"""Names that would leave the output folder, as a person or a program gives them: by command and by list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.cohorts import read_cohort
from tests.bundles.test_entry_points import BUNDLE, words
from tests.facts import in_order
from tests.front_door import run_here

IMAGES = ("flair", "t1", "t1ce", "t2")


@pytest.fixture
def options(write_weights: Callable[..., Path], tmp_path: Path) -> dict[str, Any]:
    return {"checkpoint": write_weights(BUNDLE.name), "output_dir": tmp_path / "run", "device": "cpu"}


def test_a_subject_of_the_command_line(options: dict[str, Any], phantom_dir: Path, tmp_path: Path) -> None:
    files = {name: read_cohort(phantom_dir)[0][name] for name in IMAGES}
    told = run_here(
        words("inferring", ["configs/inference.yaml"], {**options, **files, "subject": "../../escaped"}), cwd=BUNDLE
    )
    assert in_order(told, "KnobError: --subject: ", "'../../escaped'", "separator of folders (/)")
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_subject_of_a_list(options: dict[str, Any], phantom_dir: Path, tmp_path: Path) -> None:
    first = read_cohort(phantom_dir)[0]
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"subject": "../escaped", **{name: first[name] for name in IMAGES}}]))
    told = run_here(words("inferring", ["configs/inference.yaml"], {**options, "datalist": path}), cwd=BUNDLE)
    assert in_order(told, f"DatasetError: {path}, entry 1: ", "'../escaped'", "separator of folders (/)")
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize("bundle", sorted(path.name for path in BUNDLE.parent.iterdir() if (path / "configs").is_dir()))
def test_words_that_monai_would_alter_end_in_one_message(bundle: str, tmp_path: Path) -> None:
    """In every bundle, before anything is read or written."""
    given = {"dataset_dir": "2024_01", "output_dir": tmp_path / "out#1"}
    told = run_here(words("inferring", ["configs/inference.yaml"], given), cwd=BUNDLE.parent / bundle)
    assert in_order(told, "--dataset_dir: 2024_01", "202401", "Write --dataset_dir")
    assert "--output_dir: MONAI reads # as :: in a config" in told
    assert not list(tmp_path.iterdir())


def test_a_patient_keeps_the_number_that_was_typed(options: dict[str, Any], phantom_dir: Path, tmp_path: Path) -> None:
    files = {name: read_cohort(phantom_dir)[0][name] for name in IMAGES}
    assert not run_here(
        words("inferring", ["configs/inference.yaml"], {**options, **files, "subject": "2013_10_1"}), cwd=BUNDLE
    )
    assert (tmp_path / "run" / "2013_10_1_seg.nii.gz").exists()


def test_a_reference_is_no_subject(options: dict[str, Any], tmp_path: Path) -> None:
    told = run_here(
        words("inferring", ["configs/inference.yaml"], {**options, "flair": "a.nii.gz", "subject": "@p"}), cwd=BUNDLE
    )
    assert in_order(told, "KnobError: --subject: '@p' begins with @", "reference")
