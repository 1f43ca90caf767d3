from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from common.commands import ROOT
from common.crossvalidation.options import Options
from common.files import write_json
from common.metrics.judgement import summarise_judgement
from common.splits.manifest import SplitManifest, cohort_hash

GRADE = ROOT / "bundles" / "glioma_grade_classification"
EVERYBODY = ("A", "B", "C", "D", "E", "F")
CLASSES = ("LGG", "HGG")

ANSWERS = {
    "A": ("LGG", 0.2),
    "B": ("HGG", 0.6),
    "C": ("LGG", 0.7),
    "D": ("HGG", 0.9),
    "E": ("LGG", 0.1),
    "F": ("HGG", 0.8),
}
"""The truth and the probability of HGG. Within the folds AB, CD and EF every HGG stands above its LGG, all together
only 8 of 9 do: B is below C."""


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., Options]:
    """Options with an output below ``tmp_path``, and an empty folder of data."""
    (tmp_path / "data").mkdir()

    def make(**others: Any) -> Options:
        given = {"bundle": GRADE, "output": tmp_path / "out", "data": {"dataset_dir": tmp_path / "data"}, "folds": 3}
        return Options(**{**given, **others})

    return make


@pytest.fixture
def leave_fold() -> Callable[..., None]:
    """Writes what the evaluation of a fold leaves: predictions, measures, and its split."""

    def leave(
        folder: Path,
        test: Sequence[str],
        answers: Mapping[str, tuple[str, float]] = ANSWERS,
        everybody: Sequence[str] = EVERYBODY,
        classes: Sequence[str] = CLASSES,
        side: str = "test",
        **facts: Any,
    ) -> None:
        rest = [name for name in everybody if name not in test]
        sides = {"train": tuple(rest[1:]), "validation": tuple(rest[:1]), "test": tuple(sorted(test))}
        SplitManifest(sides, cohort_hash(everybody)).save(folder / "split.json")
        rows = pd.DataFrame(
            [
                {"subject": name, "truth": truth, "predicted": classes[p > 0.5], f"p_{classes[0]}": 1 - p}
                | {f"p_{classes[1]}": p}
                for name, (truth, p) in ((name, answers[name]) for name in test)
            ]
        )
        rows.to_csv(folder / "predictions.csv", index=False)
        found = summarise_judgement(rows, classes)
        gain = {"auc": {"mean": 0.1, "low": -0.1, "high": 0.3, "n": 2}}
        content = {
            "task": "classification",
            "target": "grade",
            "classes": list(classes),
            "side": side,
            "protocol": "patient",
            "unit": "subject",
            "recipe": "ours",
            "patients": len(test),
            "weights": {"epoch": 3},
            "measures": {name: found[name] for name in ("auc", "accuracy", "macro_f1")},
            "per_class": {name: {"patients": 1, "recall": found[f"recall_{name}"]} for name in classes},
            "baselines": {"most frequent class": {"auc": {"mean": 0.5, "low": None, "high": None, "n": 2}}},
            "against_baselines": {"most frequent class": gain},
            "shortcuts": {"warnings": ["Voxel size tells the label."]},
            "verdict": {"claim": False, "sentences": ["Nothing is claimed."]},
        }
        write_json(folder / "metrics.json", {**content, **facts})

    return leave
