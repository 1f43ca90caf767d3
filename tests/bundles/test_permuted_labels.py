"""The grade bundle on labels that were shuffled between patients: chance by patient, memory as published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.errors import CheckpointError, find_glioma_error
from common.metrics import chance_interval
from common.phantoms.layouts.brats2020 import make_brats_phantoms

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

SHUFFLED: dict[str, Any] = {
    "bundle": "glioma_grade_classification",
    "permute_labels": "true",
    "image_size": [48, 48],
    "slice_gap": 4,
    "batch_size": 16,
    "seed": 0,
}
BY_HEART: dict[str, Any] = {
    "pretrained": False,
    "trainable": "all",
    "clinical": "false",
    "dropout": 0,
    "epochs": 20,
    "lr_step": 10,
    "lr_gamma": 0.2,
    "val_interval": 20,
    "samples_per_epoch": None,
    "paper_split#shares": [0.7, 0.02, 0.28],
}
"""What learns by heart soonest: each modality an image of its own, no augmentation, nothing frozen or dropped."""

PAPER = "eval/paper"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighty small phantoms, about half of them LGG."""
    folder = tmp_path_factory.mktemp("cohort")
    make_brats_phantoms(folder, patients=80, shape=(32, 32, 24), lgg_share=0.5)
    return folder


@pytest.fixture(scope="module")
def judged(start: Start, cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Trains and evaluates on shuffled labels and returns the measures."""

    def judge(*overlays: str, **settings: Any) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("run")
        given = {**SHUFFLED, **settings, "dataset_dir": str(cohort)}
        start(folder, "train", *overlays, **given).run()
        start(folder, "train", *overlays, "evaluate", **given).run()
        run = folder / (PAPER if overlays else "eval")
        page = (run / "report.html").read_text(encoding="utf-8")
        metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
        return {**metrics, "page": page, "models": folder / "models"}

    return judge


@pytest.fixture(scope="module")
def by_patient(judged: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return judged(epochs=2, val_interval=2)


def truths(found: dict[str, Any]) -> list[bool]:
    """As many of each class as were judged."""
    return [name == "HGG" for name, of_class in found["per_class"].items() for _ in range(of_class["patients"])]


def test_split_by_patient_nothing_but_chance_remains(by_patient: dict[str, Any]) -> None:
    lowest, highest = chance_interval(truths(by_patient), 0.999)
    assert 0 < lowest < 0.5 < highest < 1
    assert lowest <= by_patient["measures"]["auc"]["mean"] <= highest
    assert not by_patient["verdict"]["claim"]
    assert "as it must be for patients" in by_patient["page"]


def test_split_as_published_the_network_remembers_its_patients(judged: Callable[..., dict[str, Any]]) -> None:
    found = judged("paper", **BY_HEART)
    _, highest = chance_interval(truths(found), 0.999)
    assert found["measures"]["auc"]["mean"] > highest
    assert found["permuted_labels"]
    assert "memorised the patients" in " ".join(found["verdict"]["sentences"])
    assert "(--permute_labels true)" in found["page"]


def test_what_learned_shuffled_labels_is_not_judged_on_true_ones(
    start: Start, by_patient: dict[str, Any], cohort: Path
) -> None:
    folder = by_patient["models"].parent
    judging = {**SHUFFLED, "dataset_dir": str(cohort), "permute_labels": "false"}
    weights = str(by_patient["models"] / "model.pt")
    predicting = {"bundle": SHUFFLED["bundle"], "dataset_dir": str(cohort), "checkpoint": weights}
    for configs, settings in ((("train", "evaluate"), judging), (("inference",), predicting)):
        with pytest.raises(Exception) as caught:
            start(folder, *configs, **settings).run()
        error = find_glioma_error(caught.value)
        assert isinstance(error, CheckpointError)
        assert "predicts nothing about their disease" in str(error)
        assert "--permute_labels true" in str(error)
