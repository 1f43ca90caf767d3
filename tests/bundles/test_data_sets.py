"""Data sets besides those that the bundles are made for, by the bundles' own commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.brats2024 import BRATS2024_LAYOUT
from common.phantoms.layouts.decathlon import DECATHLON
from common.phantoms.layouts.upenn_gbm import UPENN_GBM
from tests.bundles.lifecycle import refused

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("cavity", "regions"), [("background", 3), ("region", 4)])
def test_brats_2024_trains_evaluates_and_infers(
    start: Callable[..., Any], tmp_path: Path, cavity: str, regions: int
) -> None:
    folder = make_brats_phantoms(tmp_path / "data", patients=8, shape=(48, 48, 40), layout=BRATS2024_LAYOUT)
    chosen = {"dataset_dir": str(folder), "cavity": cavity}
    start(tmp_path / "run", "train", **chosen, epochs=1).run()
    start(tmp_path / "run", "train", "evaluate", **chosen).run()
    metrics = json.loads((tmp_path / "run" / "eval" / "metrics.json").read_text())
    assert list(metrics["regions"]) == ["WT", "TC", "ET", "RC"][:regions]
    start(tmp_path / "run", "inference", **chosen).run()
    volumes = pd.read_csv(tmp_path / "run" / "eval" / "predictions" / "volumes.csv")
    assert ("RC_ml" in volumes) == (regions == 4)
    other = {"background": "region", "region": "refuse"}[cavity]
    error = refused(start, tmp_path / "run", "inference", dataset_dir=str(folder), cavity=other, overwrite=True)
    assert "--cavity region" in str(error)


def test_the_decathlon_trains_and_evaluates(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = make_brats_phantoms(tmp_path / "data", patients=8, shape=(48, 48, 40), layout=DECATHLON)
    start(tmp_path / "run", "train", dataset_dir=str(folder), epochs=1).run()
    start(tmp_path / "run", "train", "evaluate", dataset_dir=str(folder)).run()
    assert pd.read_csv(tmp_path / "run" / "eval" / "predictions.csv")["subject"].str.startswith("BRATS_").all()


@pytest.fixture(scope="module")
def upenn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twenty patients of UPENN-GBM."""
    folder = tmp_path_factory.mktemp("upenn") / "data"
    return str(make_brats_phantoms(folder, patients=20, shape=(48, 48, 40), layout=UPENN_GBM))


@pytest.mark.parametrize(
    ("bundle", "train"),
    [
        ("glioma_segmentation", "train"),
        ("glioma_survival_classification", "train"),
        ("glioma_survival_classification", "train_masks"),
    ],
)
def test_upenn_gbm_trains_and_evaluates(
    start: Callable[..., Any], tmp_path: Path, upenn: str, bundle: str, train: str
) -> None:
    start(tmp_path, train, bundle=bundle, dataset_dir=upenn, epochs=1).run()
    start(tmp_path, train, "evaluate", bundle=bundle, dataset_dir=upenn).run()
    (table,) = tmp_path.rglob("predictions.csv")
    assert pd.read_csv(table)["subject"].str.startswith("UPENN-GBM-").all()
