"""What a bundle says of itself fits MONAI's schema, its network and its environment."""

from __future__ import annotations

import copy
import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import common

ROOT = Path(__file__).resolve().parents[2]
METADATA = sorted(ROOT.glob("bundles/*/configs/metadata.json"))
SCHEMA_URL = re.compile(
    r"https://github\.com/Project-MONAI/MONAI-extra-test-data/releases/download/[\d.]+/meta_schema_\d{8}\.json"
)
REQUIRED = {  # what the schema of 2024-07-25 requires, and what a reader of the bundle asks next
    *("schema", "version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version"),
    *("task", "description", "authors", "copyright", "network_data_format"),
    *("changelog", "data_source", "data_type", "image_classes", "label_classes", "pred_classes", "intended_use"),
    *("references", "supported_apps"),
}


@pytest.fixture(params=METADATA, ids=lambda path: path.parents[1].name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def metadata(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_there_are_bundles() -> None:
    assert {path.parents[1] for path in METADATA} == {path.parents[1] for path in ROOT.glob("bundles/*/configs/*.yaml")}


def test_fits_the_schema_of_monai(metadata: dict[str, Any], schema_path: Path) -> None:
    import jsonschema

    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    assert metadata["schema"].endswith(f"/{schema_path.name}")
    jsonschema.validate(metadata, schema)

    broken = copy.deepcopy(metadata)
    del broken["network_data_format"]["inputs"]["image"]["dtype"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_says_all_that_it_must(metadata: dict[str, Any]) -> None:
    assert REQUIRED - metadata.keys() == set()
    assert [key for key in REQUIRED - {"supported_apps"} if not metadata[key]] == []
    assert isinstance(metadata["supported_apps"], dict)
    assert SCHEMA_URL.fullmatch(metadata["schema"])


def test_version_is_the_suites_and_in_the_changelog(metadata: dict[str, Any]) -> None:
    assert metadata["version"] == common.__version__
    assert metadata["changelog"][metadata["version"]]


def test_no_measure_without_a_run(metadata: dict[str, Any]) -> None:
    """Scores belong to weights, and no bundle ships any."""
    assert metadata.get("eval_metrics", {}) == {}


def test_packages_are_required_and_of_a_version_that_will_do(metadata: dict[str, Any]) -> None:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line.partition(" #")[0]) for line in lines if line[:1].isalpha()]
    specifiers = {canonicalize_name(requirement.name): requirement.specifier for requirement in wanted}
    named = {
        "monai": metadata["monai_version"],
        "torch": metadata["pytorch_version"],
        "numpy": metadata["numpy_version"],
        **metadata["required_packages_version"],
    }
    assert {name for name in named if canonicalize_name(name) not in specifiers} == set()
    assert {name for name, version in named.items() if version not in specifiers[canonicalize_name(name)]} == set()


def test_first_input_and_output_bear_the_names_that_tools_ask_for(metadata: dict[str, Any]) -> None:
    assert next(iter(metadata["network_data_format"]["inputs"])) == "image"
    assert next(iter(metadata["network_data_format"]["outputs"])) == "pred"


def test_every_channel_has_a_name(metadata: dict[str, Any]) -> None:
    for side in ("inputs", "outputs"):
        for name, described in metadata["network_data_format"][side].items():
            channels = [str(channel) for channel in range(described["num_channels"])]
            assert list(described["channel_def"]) == channels, name


def test_channels_come_in_the_order_of_the_configs(path: Path, metadata: dict[str, Any]) -> None:
    """A channel is a modality, or a slice of one: "FLAIR, lower slice"."""
    told = [name.partition(", ") for name in metadata["network_data_format"]["inputs"]["image"]["channel_def"].values()]
    modalities = [name.lower() for name, _ in groupby(modality for modality, _, _ in told)]
    slices = {name: [part for modality, _, part in told if modality.lower() == name] for name in modalities}
    for config in ("train.yaml", "inference.yaml"):
        knobs = yaml.safe_load((path.parent / config).read_text(encoding="utf-8"))
        assert modalities == knobs.get("modalities", ["slice"]), config
    assert all(parts == slices[modalities[0]] for parts in slices.values())
    assert slices[modalities[0]] in ([""], ["lower slice", "middle slice", "upper slice"])


def test_classes_are_those_of_the_configs(path: Path, metadata: dict[str, Any]) -> None:
    told = list(metadata["network_data_format"]["outputs"]["pred"]["channel_def"].values())
    for index, name in enumerate(told):
        assert re.search(rf"\b{index} [^,;]*\b{re.escape(name)}\b", metadata["label_classes"]), name
    parser = parse(path)
    if "classes" in parser:
        parser["provenance"] = dict(parser["provenance"]).get("assumed", {})  # of weights that record nothing
        assert parser.get_parsed_content("classes") == told


def test_second_input_is_the_clinical_values(path: Path, metadata: dict[str, Any]) -> None:
    inputs = list(metadata["network_data_format"]["inputs"].items())
    knob, parser = "network_def#in_clinical", parse(path)
    width = parser.get_parsed_content(knob) if knob in parser else 0
    expected = [("clinical", width)] if width else []
    assert [(name, described["num_channels"]) for name, described in inputs[1:]] == expected


def test_network_takes_and_gives_what_is_told(path: Path, metadata: dict[str, Any]) -> None:
    inputs = metadata["network_data_format"]["inputs"]
    more = {name: torch.rand(1, inputs[name]["num_channels"]) for name in inputs if name != "image"}
    for n in (1, 3) if any("n" in str(size) for size in inputs["image"]["spatial_shape"]) else (1,):
        for given in ({}, more) if more else ({},):
            verify(path, n=n, extra_forward_args=given)


def test_network_on_masks_takes_and_gives_what_its_config_says() -> None:
    """The metadata describe one network of a bundle; P3's differs from it in its input alone."""
    path = ROOT / "bundles" / "glioma_survival_classification" / "configs" / "metadata.json"
    described = "_meta_#network_data_format#inputs#image"
    override = {f"{described}#num_channels": 3, f"{described}#spatial_shape": [224, 224]}
    for config in ("inference_masks", "inference_from_images"):
        verify(path, config, extra_forward_args={"clinical": torch.rand(1, 2)}, **override)


def test_wrong_channels_would_be_told(path: Path, metadata: dict[str, Any], tmp_path: Path) -> None:
    metadata["network_data_format"]["outputs"]["pred"]["num_channels"] += 1
    wrong = tmp_path / "metadata.json"
    wrong.write_text(json.dumps(metadata), encoding="utf-8")
    with pytest.raises(ValueError, match="channel number"):
        verify(wrong, str(path.parent / "inference"))


def parse(path: Path) -> Any:
    """The inference config beside the metadata; nothing of it is made yet."""
    from monai.bundle import ConfigParser

    return ConfigParser(ConfigParser.load_config_file(path.parent / "inference.yaml"))


def verify(path: Path, config: str = "inference", **options: Any) -> None:
    """MONAI's own check of a config's network against the metadata."""
    from monai.bundle import verify_net_in_out

    verify_net_in_out("network_def", str(path), str(path.parent / f"{config}.yaml"), device="cpu", **options)
