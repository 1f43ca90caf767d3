"""MONAI's federated client trains and evaluates every bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.fl.client import MonaiAlgo
from monai.fl.utils.constants import ExtraItems, ModelType
from monai.fl.utils.exchange_object import ExchangeObject

from common.networks import provenance_of
from tests.bundles.conftest import BUNDLES, TINY

pytestmark = pytest.mark.slow

SMALL_VOLUMES = {"backbone": "r3d_10", "volume_size": [24, 24, 24]}
COHORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "glioma_segmentation": ("phantom_dir", {}),
    "glioma_grade_classification": ("classifiable", {}),
    "glioma_survival_classification": ("classifiable", {"allow_shortcut": True}),
    "brain_tumor_classification": ("images_dir", {"net": "A"}),
    "glioma_spatiospatial_classification": ("classifiable", SMALL_VOLUMES),
    "mgmt_classification": ("series_dir", {}),
}
CONFIGS = ["configs/train.yaml", "configs/evaluate.yaml"]


def client_of(bundle: str, folder: Path, settings: dict[str, Any]) -> MonaiAlgo:
    """A client whose bundle is a copy of the configs in ``folder``, as a server sends it."""
    (folder / bundle).mkdir()
    (folder / bundle / "configs").symlink_to(BUNDLES / bundle / "configs")
    return MonaiAlgo(
        bundle_root=str(folder / bundle),
        config_train_filename=CONFIGS[:1],
        config_evaluate_filename=CONFIGS,
        train_kwargs=dict(settings),
        eval_kwargs=dict(settings),
        send_weight_diff=False,
    )


def settings_of(bundle: str, data: Path, more: dict[str, Any]) -> dict[str, Any]:
    from monai.bundle import ConfigParser

    known = ConfigParser.load_config_files([str(BUNDLES / bundle / config) for config in CONFIGS])
    tiny = {name: value for name, value in TINY.items() if name in known}
    return {**tiny, "dataset_dir": str(data), **more}


def numbers_in(metrics: dict[str, Any]) -> list[float]:
    return [float(value) for value in metrics.values()]


@pytest.mark.parametrize("bundle", COHORTS)
def test_a_client_trains_and_evaluates(
    bundle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    cohort, more = COHORTS[bundle]
    here = tmp_path / "here"
    for name in ("models", "eval"):
        (here / name).mkdir(parents=True)
        (here / name / "mine.txt").write_text("mine")
    monkeypatch.chdir(here)
    client = client_of(bundle, tmp_path, settings_of(bundle, request.getfixturevalue(cohort), more))
    client.initialize({ExtraItems.CLIENT_NAME: "site"})
    client.initialize({ExtraItems.CLIENT_NAME: "site"})
    assert sorted(str(path.relative_to(here)) for path in here.rglob("*.*")) == ["eval/mine.txt", "models/mine.txt"]

    start = {name: value.clone() for name, value in client.trainer.network.state_dict().items()}
    client.train(ExchangeObject(weights=start))
    last = client.get_weights().weights
    assert any(not torch.equal(last[name], start[name]) for name in start)

    best = client.get_weights({ExtraItems.MODEL_TYPE: ModelType.BEST_MODEL}).weights
    assert best.keys() == start.keys()
    assert provenance_of(torch.load(tmp_path / bundle / "models" / "model.pt", weights_only=True))["epoch"] == 1

    judged = client.evaluate(ExchangeObject(weights=last)).metrics
    again = client.evaluate(ExchangeObject(weights=last)).metrics
    assert judged and numbers_in(judged) == numbers_in(again)
    assert all(torch.equal(client.evaluator.network.state_dict()[name], last[name]) for name in last)
    assert (tmp_path / bundle / "eval" / "metrics.json").exists()


def test_an_evaluation_without_weights_is_refused_outside_of_a_federation(
    tmp_path: Path, phantom_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the evaluator, not only ``run`` of the config: random weights are judged by nobody."""
    from monai.bundle import ConfigWorkflow

    from common.errors import CheckpointError

    monkeypatch.chdir(tmp_path)
    files = [str(BUNDLES / "glioma_segmentation" / config) for config in CONFIGS]
    settings = settings_of("glioma_segmentation", phantom_dir, {"bundle_root": str(tmp_path)})
    workflow = ConfigWorkflow(config_file=files, workflow_type="train", logging_file=False, **settings)
    workflow.initialize()
    with pytest.raises(CheckpointError, match="the checkpoint does not exist"):
        workflow.evaluator.run()
