"""What a client may set of a training; no server is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import KnobError

APP = Path(__file__).resolve().parents[1]
TRAIN = APP.parents[1] / "bundles" / "glioma_segmentation" / "configs" / "train.yaml"

with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sys, "path", [str(APP), *sys.path])
    from lib.training_request import DEFAULTS, WITHOUT_EFFECT, bundle_knobs


def test_labels_names_are_those_of_the_bundle() -> None:
    request = {
        "model": "glioma_segmentation",
        "device": ["cpu"],
        "gpus": "all",
        "local_rank": 0,
        "max_epochs": "3",
        "early_stop_patience": -1,
        "val_split": 0.1,
        "samples_per_epoch": 8,
        "train_batch_size": 4,
        "lr": "1e-4",
        "pretrained": "true",
    }
    knobs = bundle_knobs(request, patients=40)
    assert knobs == {
        "pretrained": True,
        "epochs": 3,
        "patience": 0,
        "folds": 10,
        "samples_per_epoch": 8,
        "batch_size": 4,
        "lr": 1e-4,
    }
    assert knobs.keys() - {"pretrained"} <= yaml.safe_load(TRAIN.read_text()).keys()


def test_what_a_viewer_shows_is_what_it_may_send_back() -> None:
    """There are no more folds than patients."""
    knobs = bundle_knobs({"device": ["cpu"], **DEFAULTS, **WITHOUT_EFFECT}, patients=4)
    assert (knobs["pretrained"], knobs["epochs"], knobs["folds"]) == (False, 50, 4)
    assert bundle_knobs({"val_split": -1}, patients=40)["folds"] == 5


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("dropout", 0.5, "this training does not honour 0.5. Known are device, pretrained"),
        ("multi_gpu", True, "torchrun"),
        ("tracking", ["mlflow", "None"], "does not honour 'mlflow'"),
        ("val_batch_size", 2, "one by one"),
        ("max_epochs", 0, "0 is not a number of epochs"),
        ("max_epochs", 2.5, "2.5 is not a number of epochs"),
        ("batch_size", "many", "'many' is not a number of slices"),
        ("lr", float("nan"), "nan is not a learning rate"),
        ("val_split", 0.5, "0.5 is not a share of patients"),
        ("val_split", 0.0, "0.0 is not a share of patients"),
        ("pretrained", "perhaps", "'perhaps' is not true or false"),
    ],
)
def test_what_is_not_honoured_is_named(name: str, value: Any, told: str) -> None:
    with pytest.raises(KnobError) as caught:
        bundle_knobs({name: value, "lr": 1e-3} if name != "lr" else {name: value}, patients=40)
    assert str(caught.value).startswith(f"{name}: ")
    assert told in str(caught.value)
