from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.commands import ROOT
from common.packaging.trained_network import describe_network, json_twin, knobs_of, with_defaults

BUNDLES = sorted(path.parent for path in (ROOT / "bundles").glob("*/configs"))


def test_knobs_take_the_values_of_the_weights() -> None:
    own = "backbone: '@backbone'\n"
    knobs = "backbone: densenet121  # any\nsize: [240, 240]  # pixels\n# --- end of knobs ---\n"
    changed = 'backbone: "resnet18"  # any\nsize: [64, 64]  # pixels\n# --- end of knobs ---\n'
    assert with_defaults(knobs + own, {"backbone": "resnet18", "size": (64, 64), "unknown": 1}) == changed + own


def test_the_knobs_that_a_provenance_records() -> None:
    encoder = {"features": ["age"], "missing_indicators": True}
    provenance = {"settings": {"units": [8], "permute_labels": False}, "classes": ["a", "b"], "encoder": encoder}
    assert knobs_of(provenance) == {"units": [8], "num_classes": 2, "missing_indicators": True}
    assert knobs_of({"modalities": ["t1"], "encoder": {"features": [], "missing_indicators": True}}) == {
        "modalities": ["t1"]
    }
    assert knobs_of({"classes": ["NCR", "ED", "ET", "RC"]}) == {"num_classes": 4, "cavity": "region"}
    assert knobs_of({}) == {}


@pytest.mark.parametrize(
    ("named", "classes", "wanted"),
    [
        (["background", "a", "b"], ["a", "b", "c"], ["background", "a", "b", "c"]),
        (["a", "b", "healthy"], ["a", "b"], ["a", "b"]),
    ],
)
def test_metadata_name_the_classes_of_the_weights(named: list[str], classes: list[str], wanted: list[str]) -> None:
    pred = {"num_channels": 3, "channel_def": {str(index): name for index, name in enumerate(named)}}
    image = {"spatial_shape": ["32*n", "n"]}
    text = json.dumps({"network_data_format": {"inputs": {"image": image}, "outputs": {"pred": pred}}})
    described = json.loads(describe_network(text, {"classes": classes}))["network_data_format"]
    told = described["outputs"]["pred"]
    assert (told["num_channels"], list(told["channel_def"].values())) == (len(wanted), wanted)
    assert list(told["channel_def"]) == [str(index) for index in range(len(wanted))]
    assert described["inputs"]["image"] == image
    assert describe_network(text, {}) is text
    assert describe_network(text, {"classes": [name for name in named if name != "background"]}) is text
    sized = json.loads(describe_network(text, {"settings": {"image_size": [64, 48]}}))
    assert sized["network_data_format"]["inputs"]["image"] == {"spatial_shape": [64, 48]}


@pytest.mark.parametrize(
    ("bundle", "provenance", "wanted"),
    [
        ("glioma_segmentation", {"modalities": ["t1ce", "flair"]}, ["T1ce", "FLAIR"]),
        ("mgmt_classification", {"modalities": ["t2"]}, ["T2"]),
        (
            "glioma_grade_classification",
            {"modalities": ["t1"]},
            ["T1, lower slice", "T1, middle slice", "T1, upper slice"],
        ),
        (
            "glioma_survival_classification",
            {"modalities": ["t1", "t2"], "settings": {"samples": "modality"}},
            ["lower slice", "middle slice", "upper slice"],
        ),
        ("brain_tumor_classification", {"modalities": []}, ["slice"]),
    ],
)
def test_metadata_name_the_channels_of_the_weights(bundle: str, provenance: dict[str, Any], wanted: list[str]) -> None:
    text = (ROOT / "bundles" / bundle / "configs" / "metadata.json").read_text(encoding="utf-8")
    image = json.loads(describe_network(text, provenance))["network_data_format"]["inputs"]["image"]
    assert list(image["channel_def"].values()) == wanted
    assert image["num_channels"] == len(wanted)


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda path: path.name)
def test_default_modalities_change_no_channel(bundle: Path) -> None:
    text = (bundle / "configs" / "metadata.json").read_text(encoding="utf-8")
    known = yaml.safe_load((bundle / "configs" / "train.yaml").read_text(encoding="utf-8")).get("modalities")
    assert describe_network(text, {"modalities": known}) is text


def test_the_json_of_a_config_counts_no_cohort(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text("lr: 1e-3\nnetwork_def: {_target_: x.Net, num_classes: $len(@classes), units: []}\n")
    assert json.loads(json_twin(path, 3)) == {
        "lr": "1e-3",
        "network_def": {"_target_": "x.Net", "num_classes": 3, "units": []},
    }
