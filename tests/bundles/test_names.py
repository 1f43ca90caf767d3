"""Names that would leave the output folder, as a person or a program gives them: by command and by list."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.cohorts import read_cohort
from tests.bundles.test_entry_points import BUNDLE, run, told_once, words

IMAGES = ("flair", "t1", "t1ce", "t2")


@pytest.fixture
def options(write_weights: Callable[..., Path], tmp_path: Path) -> dict[str, Any]:
    return {"checkpoint": write_weights(BUNDLE.name), "output_dir": tmp_path / "run", "device": "cpu"}


def test_a_subject_of_the_command_line(options: dict[str, Any], phantom_dir: Path, tmp_path: Path) -> None:
    files = {name: read_cohort(phantom_dir)[0][name] for name in IMAGES}
    line = words("inferring", ["configs/inference.yaml"], {**options, **files, "subject": "../../escaped"})
    told = told_once(run(line, cwd=BUNDLE))
    assert told.startswith("KnobError: --subject: the subject '../../escaped' holds a separator of folders (/).")
    assert not list(tmp_path.rglob("*escaped*"))


def test_a_subject_of_a_list(options: dict[str, Any], phantom_dir: Path, tmp_path: Path) -> None:
    first = read_cohort(phantom_dir)[0]
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"subject": "../escaped", **{name: first[name] for name in IMAGES}}]))
    line = words("inferring", ["configs/inference.yaml"], {**options, "datalist": path})
    told = told_once(run(line, cwd=BUNDLE))
    assert told.startswith(f"DatasetError: {path}, entry 1: the subject '../escaped' holds a separator of folders (/).")
    assert not list(tmp_path.rglob("*escaped*"))
