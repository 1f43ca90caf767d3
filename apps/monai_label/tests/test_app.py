"""This suite's app in the real server: what it offers, what it answers, what it refuses, and training."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nibabel as nib
import numpy as np
import pytest
import requests
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from .conftest import (
    ANSWER_SECONDS,
    BUNDLES,
    GRADE,
    KNOWN,
    MGMT,
    PATIENT,
    SEGMENTATION,
    SURVIVAL,
    TUMOUR,
    VOLUME,
    Server,
    files_of_patient,
    inferring,
)

APP = Path(__file__).resolve().parents[1]
FLAIR = f"{PATIENT}_flair"


def test_info_names_tasks_labels_and_dimensions(server: Server) -> None:
    info = requests.get(f"{server.url}/info/", timeout=ANSWER_SECONDS).json()
    models = info["models"]
    assert set(models) == set(BUNDLES)
    assert models[SEGMENTATION]["type"] == "segmentation"
    assert models[SEGMENTATION]["labels"] == {"ncr": 1, "ed": 2, "et": 3}
    assert {models[name]["type"] for name in BUNDLES if name != SEGMENTATION} == {"classification"}
    assert {name for name in BUNDLES if models[name]["dimension"] == 2} == {TUMOUR}
    assert list(info["trainers"]) == [SEGMENTATION]


def test_labels_are_those_of_the_weights(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights with a class of the resection cavity, before anybody packages them."""
    monkeypatch.syspath_prepend(APP)
    import torch
    from lib.inference import BundleTask
    from monai.bundle import ConfigParser

    from common.networks import save_weights

    root = shutil.copytree(made / SEGMENTATION, tmp_path / SEGMENTATION)
    config = ConfigParser.load_config_file(root / "configs" / "inference.yaml")
    network = ConfigParser({**config, "cavity": "region"}).get_parsed_content("network_def")
    provenance = {"bundle": SEGMENTATION, "classes": ["NCR", "ED", "ET", "RC"]}
    torch.manual_seed(0)
    save_weights(root / "models" / "model.pt", network.state_dict(), provenance)
    assert BundleTask(root, {}).info()["labels"] == {"ncr": 1, "ed": 2, "et": 3, "rc": 4}


@pytest.mark.parametrize("bundle", BUNDLES)
def test_answers_are_those_of_inferring(
    bundle: str, server: Server, image_of: dict[str, str], expected: dict[str, Any], store: Path, tmp_path: Path
) -> None:
    if bundle == SEGMENTATION:
        answer = server.label_map(image_of[bundle], tmp_path)
        np.testing.assert_array_equal(np.asanyarray(answer.dataobj), expected[bundle])
        np.testing.assert_allclose(answer.affine, nib.load(store / f"{FLAIR}.nii.gz").affine, atol=1e-4)
    else:
        params = KNOWN if bundle == SURVIVAL else {}
        shares = server.probabilities(bundle, image_of[bundle], **params)
        assert shares == pytest.approx(expected[bundle], abs=1e-4)


def test_two_ages_give_two_probabilities(server: Server) -> None:
    young = server.probabilities(SURVIVAL, FLAIR, age=30, resection="GTR")
    old = server.probabilities(SURVIVAL, FLAIR, age=80, resection="GTR")
    assert max(abs(young[name] - old[name]) for name in young) > 1e-4


def test_a_file_that_is_sent_along(server: Server, store: Path, expected: dict[str, Any]) -> None:
    with (store / f"{PATIENT}_t1ce.nii.gz").open("rb") as file:
        address = f"{server.url}/infer/{VOLUME}?output=json"
        answer = requests.post(address, files={"file": ("scan.nii.gz", file)}, timeout=ANSWER_SECONDS)
    shares = {row["label"]: row["score"] for row in answer.json()["prediction"]}
    assert shares == pytest.approx(expected[VOLUME], abs=1e-4)


REFUSED = [
    ("no_such_bundle", FLAIR, {}, 404, "no model 'no_such_bundle'"),
    (SEGMENTATION, "no_such_image", {}, 400, "no_such_image: there is no such image in the data store"),
    (SEGMENTATION, "/etc/hostname", {}, 400, "no such image in the data store"),
    (SEGMENTATION, "../../etc/hostname", {}, 400, "no such image in the data store"),
    (SEGMENTATION, "linked/outside_flair.nii.gz", {}, 400, "no such image in the data store"),
    (SEGMENTATION, FLAIR, {"image": "/etc/hostname"}, 400, "no such image in the data store"),
    (SEGMENTATION, FLAIR, {"t1": "/etc/hostname"}, 400, "a file of its own was given for t1"),
    (SEGMENTATION, FLAIR, {"subject": "../../../../escaped"}, 400, "holds a separator of folders"),
    (SEGMENTATION, FLAIR, {"age": 61}, 400, "--age: this network does not read it"),
    (SEGMENTATION, "lonely_flair", {}, 400, "modality t1 is not beside it"),
    (SEGMENTATION, "cut_flair", {}, 400, "cut_flair.nii.gz"),
    (SEGMENTATION, "picture", {}, 400, "not NIfTI"),
    (TUMOUR, FLAIR, {}, 400, "no image"),
    (SURVIVAL, FLAIR, {}, 400, "no age is given"),
    (SURVIVAL, FLAIR, {"age": 61}, 400, "no resection is given"),
    (SURVIVAL, FLAIR, {"age": "sixty", "resection": "GTR"}, 400, "'sixty' is not"),
    (SURVIVAL, FLAIR, {"age": 61, "resection": "half"}, 400, "'half' is not"),
    (GRADE, FLAIR, {"resection": "GTR"}, 400, "--resection: this network does not read it"),
    (MGMT, "series", {}, 400, "holds no DICOM image"),
]


@pytest.mark.parametrize(("model", "image", "params", "status", "told"), REFUSED)
def test_a_wrong_request_is_answered_with_its_message(
    model: str, image: str, params: dict[str, Any], status: int, told: str, server: Server
) -> None:
    answer = server.infer(model, quote(image), **params)
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text


def test_a_batch_needs_no_gpu_and_tells_what_is_wrong(server: Server) -> None:
    """Label's own default is ``multi_gpu``; its volumes come before the picture."""
    address = f"{server.url}/batch/infer/{VOLUME}?run_sync=true"
    answer = requests.post(address, json={"max_batch_size": 2}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200, answer.text
    assert [len(found["params"]["prediction"]) for found in answer.json().values()] == [3, 3]
    refused = requests.post(f"{server.url}/batch/infer/{TUMOUR}?run_sync=true", json={}, timeout=ANSWER_SECONDS)
    assert (refused.status_code, "no image" in refused.json()["detail"]) == (400, True), refused.text


def test_training_from_the_store(server: Server, bundles: Path, store: Path, phantoms: Path, tmp_path: Path) -> None:
    """Last, since it changes the weights: too few labels are refused; with them, the next answer is of the new ones."""
    weights = bundles / SEGMENTATION / "models" / "model.pt"
    before = hashlib.sha256(weights.read_bytes()).hexdigest()
    address = f"{server.url}/train/{SEGMENTATION}?run_sync=true"
    settings = {"max_epochs": 2, "samples_per_epoch": 8, "batch_size": 4, "lr": 0, "val_split": 0.33, "device": "cpu"}
    refused = requests.post(address, json=settings, timeout=ANSWER_SECONDS)
    assert (refused.status_code, "0 patients have a final label" in refused.json()["detail"]) == (400, True)
    for mask in phantoms.glob("brats/**/*_seg.nii.gz"):
        _save_label(server, mask, tmp_path / mask.name)
    refused = requests.post(address, json={**settings, "dropout": 0.5}, timeout=ANSWER_SECONDS)
    assert (refused.status_code, refused.json()["detail"].count("\n")) == (400, 2), refused.text
    for told in ("dropout: this training does not honour 0.5", "lr: 0 is not a learning rate above 0"):
        assert told in refused.json()["detail"]
    settings["lr"] = 0.002
    trained = requests.post(address, json=settings, timeout=ANSWER_SECONDS)
    assert (trained.status_code, trained.json()["patients"]) == (200, 3), trained.text
    assert hashlib.sha256(weights.read_bytes()).hexdigest() != before
    run = bundles / SEGMENTATION / "eval" / "monai_label"
    assert json.loads((run / "split.json").read_text())["folds"] == 3
    curves = EventAccumulator(str(run / "tensorboard")).Reload()
    assert [point.value for point in curves.Scalars("learning_rate")] == pytest.approx([0.002, 0.002])
    expected = inferring(bundles / SEGMENTATION, tmp_path / "after", files_of_patient(store))
    np.testing.assert_array_equal(np.asanyarray(server.label_map(FLAIR, tmp_path).dataobj), expected)


def _save_label(server: Server, mask: Path, path: Path) -> None:
    """As a viewer saves a label map: class indices, for the image that was opened."""
    image = nib.load(mask)
    stored = np.asanyarray(image.dataobj)
    nib.save(nib.Nifti1Image(np.where(stored == 4, 3, stored).astype(np.uint8), image.affine), path)
    opened = mask.name.replace("_seg.nii.gz", "_flair")
    with path.open("rb") as file:
        address = f"{server.url}/datastore/label?image={opened}&tag=final"
        requests.put(address, files={"label": file}, timeout=ANSWER_SECONDS).raise_for_status()
