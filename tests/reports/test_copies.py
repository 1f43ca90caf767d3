from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common.copies.groups import CopyPair, CopyReport
from common.reports.copies import count_copies, write_copies
from common.splits.manifest import SplitManifest

PAIRS = [CopyPair("a", "b", 0.99, "flipped"), CopyPair("c", "d", 0.7, "same position")]
IMAGE_SPLIT = SplitManifest({"train": ("a", "c"), "validation": ("e",), "test": ("b", "d")}, "", "paper")


def report(folder: Path, threshold: float) -> CopyReport:
    rng = np.random.default_rng(0)
    for name in "abcde":
        Image.fromarray(rng.integers(0, 256, (40, 40), dtype=np.uint8)).save(folder / f"{name}.png")
    return CopyReport({name: str(folder / f"{name}.png") for name in "abcde"}, PAIRS, threshold)


def test_test_images_whose_copy_is_trained_on_are_counted(tmp_path: Path) -> None:
    """b is a copy of a, which is trained on; d of c only where the threshold is low."""
    strict, loose = (count_copies(report(tmp_path, threshold), IMAGE_SPLIT) for threshold in (0.8, 0.6))
    assert strict == {"images": 5, "groups": 4, "with_copy": 2, "tested": 2, "tested_with_copy_in_training": 1}
    assert loose == {"images": 5, "groups": 3, "with_copy": 4, "tested": 2, "tested_with_copy_in_training": 2}


def test_a_split_of_groups_is_counted_by_its_images(tmp_path: Path) -> None:
    split = SplitManifest(
        {"train": ("c", "d"), "validation": ("e",), "test": ("a",)}, "", scans={"a": ("a", "b"), "c": ("c",)}
    )
    found = count_copies(report(tmp_path, 0.8), split)
    assert (found["tested"], found["tested_with_copy_in_training"]) == (2, 0)


def test_tables_and_pictures_are_left(tmp_path: Path) -> None:
    write_copies(report(tmp_path, 0.8), IMAGE_SPLIT, tmp_path / "run")
    assert pd.read_csv(tmp_path / "run" / "copies.csv")["group"].tolist().count("a") == 2
    assert json.loads((tmp_path / "run" / "copies.json").read_text())["tested_with_copy_in_training"] == 1
    for name in ("copies.png", "copies_threshold.png"):
        with Image.open(tmp_path / "run" / name) as picture:
            assert min(picture.size) > 100


def test_followers_of_a_distributed_run_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    write_copies(report(tmp_path, 0.8), IMAGE_SPLIT, tmp_path / "run")
    assert not (tmp_path / "run").exists()
