from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.commands import ROOT
from common.packaging.configs import (
    CODE_KEYS,
    aliases_in,
    describe_network,
    json_twin,
    knobs_of,
    refer_to_code,
    with_defaults,
)

BUNDLES = sorted(path.parent for path in (ROOT / "bundles").glob("*/configs"))


def texts_of(bundle: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8") for path in (bundle / "configs").glob("*.yaml")}


def strings_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from strings_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings_in(value)
    elif isinstance(node, str):
        yield node


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_no_packaged_config_imports_what_it_could_not_find(bundle: Path) -> None:
    texts = texts_of(bundle)
    aliases = aliases_in(texts)
    for name, text in texts.items():
        strings = list(strings_in(yaml.safe_load(refer_to_code(text, aliases))))
        assert not [value for value in strings if value.startswith(("common.", "$import common"))], name
        expressions = [re.sub(r"'[^']*'", "", value) for value in strings if value.startswith("$")]
        bare = re.compile(rf"(?<![\w.])(?:{'|'.join(aliases)})\.")
        assert not [value for value in expressions if bare.search(value)], name
        assert not [value for value in expressions if "@common" in value and "$import" in value]


@pytest.mark.slow
def test_the_code_has_what_packaged_configs_refer_to() -> None:
    """In a process of its own, in which nobody has imported a module before."""
    names: set[str] = set()
    for texts in map(texts_of, BUNDLES):
        packaged = " ".join(refer_to_code(text, aliases_in(texts)) for text in texts.values())
        names |= set(re.findall(r"@common\.([\w.]+)", packaged))
    assert len(names) > 100
    program = f"import operator; from common.vendored import Code; [operator.attrgetter(n)(Code()) for n in {names}]"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]


@pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
def test_nothing_else_of_a_config_changes(bundle: Path) -> None:
    texts = texts_of(bundle)
    aliases = aliases_in(texts)
    for name, text in texts.items():
        packaged = yaml.safe_load(refer_to_code(text, aliases))
        original = yaml.safe_load(text)
        for key in CODE_KEYS:
            packaged.pop(key, None)
            original.pop(key, None)
        assert list(packaged) == list(original), name
        assert len(list(strings_in(packaged))) == len(list(strings_in(original))), name
        assert comments_of(text) == comments_of(refer_to_code(text, aliases)), name


def comments_of(text: str) -> list[str]:
    return [line.partition("  # ")[2] for line in text.splitlines() if "  # " in line]


def test_references_by_hand() -> None:
    aliases = {"networks": "common.networks", "reports": "common.reports.copies", "handlers": "common.handlers"}
    text = (
        "# networks.py of this bundle\n"
        "imports:\n- $import common.networks as networks\n- $import common.handlers as handlers\n\n"
        "loss: $monai.handlers.from_engine(['loss'])  # of handlers.py\n"
        "start: $networks.load(@networks, [reports.write(1), handlers.X.of(2)])\n"
        "net: {_target_: common.networks.Net, lr: 0.1}\n"
    )
    lines = refer_to_code(text, aliases).splitlines()
    assert lines[0] == "# networks.py of this bundle"
    assert lines[-3:] == [
        "loss: $monai.handlers.from_engine(['loss'])  # of handlers.py",
        "start: $@common.networks.load(@networks, [@common.reports.copies.write(1), @common.handlers.X.of(2)])",
        "net: {_target_: $@common.networks.Net, lr: 0.1}",
    ]


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
