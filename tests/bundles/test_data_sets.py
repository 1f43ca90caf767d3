"""Data sets besides those that the bundles are made for, by the bundles' own commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from common.phantoms.layouts.brats2020 import make_brats_phantoms
from common.phantoms.layouts.decathlon import DECATHLON


def test_the_decathlon_trains_and_evaluates(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = make_brats_phantoms(tmp_path / "data", patients=8, shape=(48, 48, 40), layout=DECATHLON)
    start(tmp_path / "run", "train", dataset_dir=str(folder), epochs=1).run()
    start(tmp_path / "run", "train", "evaluate", dataset_dir=str(folder)).run()
    assert pd.read_csv(tmp_path / "run" / "eval" / "predictions.csv")["subject"].str.startswith("BRATS_").all()
