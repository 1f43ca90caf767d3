from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.files import write_json
from common.reproduction.options import Options

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., Options]:
    """Options with an output below ``tmp_path``, and an empty folder of data."""
    (tmp_path / "data").mkdir()

    def make(**others: Any) -> Options:
        return Options(**{"dataset_dir": tmp_path / "data", "output": tmp_path / "out", "bundles": BUNDLES, **others})

    return make


@pytest.fixture
def leave_evaluation() -> Callable[..., None]:
    """Writes what an evaluation of four patients with two samples each leaves: A short, B short, C mid, D long.

    A patient is right where both samples are, but for C, whose samples disagree; D is wrong. The measures of patients
    in ``metrics.json`` are whatever is said.
    """

    def leave(folder: Path, macro_f1: float = 0.5, side: str = "test", **facts: Any) -> None:
        classes = ["short (under 9 days)", "mid (9 to 19 days)", "long (20 days or more)"]
        answers = {"A": (0, 0, 0), "B": (0, 0, 0), "C": (1, 1, 2), "D": (2, 0, 0)}
        samples = pd.DataFrame(
            [
                {"subject": subject, "sample": sample, "tumour": subject != "B" or sample == 0, "truth": classes[true]}
                | {f"p_{name}": 0.8 if label == answer else 0.1 for label, name in enumerate(classes)}
                for subject, (true, *both) in answers.items()
                for sample, answer in enumerate(both)
            ]
        )
        patients = samples[samples["sample"] == 0].drop(columns=["sample", "tumour"])
        voted = [classes[both[0]] for _, *both in answers.values()]
        numbers = {"mean": macro_f1, "low": macro_f1 - 0.1, "high": macro_f1 + 0.1, "n": 4}
        undefined = {"mean": None, "low": None, "high": None, "n": 0}
        overall = ("accuracy", "macro_f1", "macro_precision", "macro_recall")
        folder.mkdir(parents=True, exist_ok=True)
        samples.to_csv(folder / "samples.csv", index=False)
        patients.assign(voted=voted, predicted=voted).to_csv(folder / "predictions.csv", index=False)
        content = {
            "classes": classes,
            "side": side,
            "patients": 4,
            "samples": 8,
            "measures": {**dict.fromkeys(overall, numbers), "auc": undefined},
            "per_class": {name: dict.fromkeys(("precision", "recall", "f1", "auc"), numbers) for name in classes},
            "shortcuts": {"warnings": ["Whether age is recorded tells the label."]},
            "verdict": {"sentences": ["Nothing is claimed.", "More."]},
        }
        write_json(folder / "metrics.json", {**content, **facts})

    return leave
