"""What MONAI, MONAI Label and deployment tools expect of every bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from itertools import product
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
import torch
import yaml

from common.networks import SegmentationUNet, SliceClassifier, SpatioSpatialClassifier
from common.reports.knob_tables import Knob, read_knobs
from common.tasks.registry import task_of_bundle
from common.tasks.task import Task

ROOT = Path(__file__).resolve().parents[2] / "bundles"
BUNDLES = sorted({path.parent.parent for path in ROOT.glob("*/configs/train*.yaml")})
TRAINS = sorted(ROOT.glob("*/configs/train*.yaml"))
INFERENCES = sorted(ROOT.glob("*/configs/inference*.yaml"))

SEGMENTATION, SURVIVAL = "glioma_segmentation", "glioma_survival_classification"
FINISH = ["", "multi_gpu_train", "evaluate"]
TOLD = re.compile(r"^# Overlays, merged after this file in this order: (.+?)\.\s", re.DOTALL | re.MULTILINE)
"""What every training config says of its overlays."""

LONGEST_TRAIN = 229  # lines
LONGEST_EXPRESSION = 125  # letters; what is longer is a function of common
BLOCKS = ["data", "split", "run", "network", "learning", "--- end of knobs ---"]

OWN_WORDS = {
    "recipe": "which overlay has the paper's",
    "split_by": "what the paper split",
    "dataset_dir": "which data sets have what the task needs",
    "datalist": "patients, or images",
    "exclude": "patients, or images",
    "split_method": "P2 has one of its own",
    "folds": "a hold-out stands beside them, or one of them is for test",
    "fold": "for validation, or for test",
    "train_share": "of patients, or of groups of copies",
    "units": "one dense layer before the last, or two",
    "dropout": "where it stands",
    "modalities": "they are channels, or images",
    "image_size": "slices are padded, or resized",
    "cache_dir": "what is kept: cases, slices or masks",
    "clinical": "which values, and where they are refused",
    "backbone": "P1 lists eight",
    "image_units": "P1 does not reduce the features, P3 always does",
    "pretrained": "of the encoder, or of the backbone",
    "trainable": "what but the head there is to freeze",
    "batch_size": "what a sample is",
    "samples_per_epoch": "what a sample is",
    "inference_batch_size": "what a sample is",
    "lr": "of Adam, or SGD",
}
"""Knobs whose words differ between training configs, and why."""

Start = Callable[..., Any]
WriteWeights = Callable[..., Path]


def name_of(config: Path | str | tuple[str, ...]) -> str:
    """For the id of a test: a config with its bundle, or a chain of configs."""
    if isinstance(config, Path):
        return f"{config.parents[1].name}-{config.stem}"
    return config if isinstance(config, str) else "+".join(config)


every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)
every_train = pytest.mark.parametrize("train", TRAINS, ids=name_of)
every_network = pytest.mark.parametrize(  # that of inference_from_images is inference_masks's
    "inference", [path for path in INFERENCES if path.stem != "inference_from_images"], ids=name_of
)


def choices_of(train: Path) -> list[list[str]]:
    """The overlays of a training config, in the order of their merging: one of each list."""
    told = TOLD.search(train.read_text(encoding="utf-8"))
    assert told, f"{train}: its head does not say which overlays there are"
    names = re.findall(r"(\w+)\.yaml", told[1])
    first = [["", *(name for name in names if name.startswith(kind))] for kind in ("stage", "paper")]
    assert {*FINISH[1:]} <= {*names}
    return [*first, [*FINISH, *(f"evaluate+{name}" for name in names if name.startswith("evaluate_"))]]


def chains() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every order of configs that the training configs allow, the training config first."""
    for train in TRAINS:
        for overlays in product(*choices_of(train)):
            merged = "+".join(filter(None, (train.stem, *overlays)))
            yield train.parents[1].name, tuple(merged.split("+"))


every_chain = pytest.mark.parametrize(("bundle", "configs"), chains(), ids=name_of)


@cache
def merged(bundle: str, *configs: str) -> dict[str, Any]:
    """What the files hold; reading YAML takes longest."""
    from monai.bundle import ConfigParser

    content: dict[str, Any] = ConfigParser.load_config_files(
        [ROOT / bundle / "configs" / f"{name}.yaml" for name in configs]
    )
    return content


@cache
def resolved(target: str) -> str:
    """The dotted name that MONAI finds for the ``_target_`` of a config, all modules searched."""
    from monai.bundle import ConfigComponent

    return str(ConfigComponent({"_target_": target}).resolve_module_name())


def parse(bundle: str, *configs: str) -> Any:
    """The configs, merged; nothing of them is made yet, and no ImageNet weights will be fetched."""
    from monai.bundle import ConfigParser

    parser = ConfigParser(deepcopy(merged(bundle, *configs)))
    parser["pretrained"] = False
    if str(parser.get("classes", "")).startswith("$"):
        parser["classes"] = list(task_in(bundle).classes)  # they are the cohort's, and there is none
    return parser


def task_in(bundle: str) -> Task:
    """The task of a bundle."""
    task = task_of_bundle(bundle)
    assert task, f"no module of common/tasks names {bundle}"
    return task


def inputs(parser: Any, network: torch.nn.Module, *shape: int) -> list[tuple[torch.Tensor, ...]]:
    """What a network may be called with: an image (batch, height, width of ``shape``), and one with clinical values.

    A network that flattens its maps takes one size alone, and gets that; one of volumes gets a depth of 24.
    """
    batch, *sides = shape
    if isinstance(network, SpatioSpatialClassifier):
        sides = [side // 2 for side in sides] + [24]
    if isinstance(network, SliceClassifier):
        return [(torch.rand(batch, network.in_channels, *network.image_size),)]
    image = torch.rand(batch, parser.get_parsed_content("network_def#in_channels"), *sides)
    width = getattr(network, "in_clinical", 0)
    return [(image,), (image, torch.rand(batch, width))] if width else [(image,)]


def classes_of(parser: Any) -> int:
    return len(parser.get_parsed_content("classes")) if "classes" in parser else 4


def test_every_overlay_is_told_by_a_training_config() -> None:
    used = {(bundle, name) for bundle, configs in chains() for name in configs}
    overlays = {(path.parents[1].name, path.stem) for path in ROOT.glob("*/configs/*.yaml") if path not in INFERENCES}
    assert overlays == used


@every_chain
def test_overlays_fit_together(bundle: str, configs: tuple[str, ...]) -> None:
    parser = parse(bundle, *configs)
    with torch.device("meta"):  # shapes without numbers
        network = parser.get_parsed_content("network_def").eval()
        for call in inputs(parser, network, 1, 64, 64):
            assert network(*call).shape[:2] == (1, classes_of(parser))
    published = any(name.startswith("paper") for name in configs)
    assert parser.get_parsed_content("recipe") == ("paper" if published else "ours")
    assert parser.get_parsed_content("split_by") == ("paper" if published else "patient")
    stage = next((int(name[-1]) for name in configs if name.startswith("stage")), 1)
    assert parser.get("stage", 1) == stage


@pytest.mark.parametrize("bundle", [bundle.name for bundle in BUNDLES])
def test_runs_of_different_recipes_and_stages_do_not_share_a_folder(bundle: str) -> None:
    alone = {configs for name, configs in chains() if name == bundle and not {*FINISH[1:]} & {*configs}}
    for knob in ("weights", "output_dir"):
        trains = {configs[0] for configs in alone}
        for train in trains:
            places = [parse(bundle, *configs).get_parsed_content(knob) for configs in alone if configs[0] == train]
            assert len(places) == len(set(places)), (train, knob)


@every_bundle
def test_overlays_override_what_is_there(bundle: Path) -> None:
    """A key that only the overlay knows would change nothing: it is a knob, or stands for something new."""
    for name, configs in chains():
        if name != bundle.name or len(configs) == 1:
            continue
        base = parse(name, *configs[:-1])
        overlay = yaml.safe_load((bundle / "configs" / f"{configs[-1]}.yaml").read_text())
        nested = [key for key in overlay if "#" in key or "::" in key]
        missing = [key for key in nested if key.rpartition("#")[0] not in base]
        assert missing == [], configs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bundle", "configs"),
    [
        *((path.parents[1].name, (path.stem,)) for path in (*TRAINS, *INFERENCES)),
        *((path.parents[1].name, (path.stem, "evaluate")) for path in TRAINS),
        (SURVIVAL, ("train_masks", "evaluate", "evaluate_from_images")),
    ],
    ids=name_of,
)
def test_the_properties_of_a_bundle_are_all_there(
    bundle: str,
    configs: tuple[str, ...],
    start: Start,
    write_weights: WriteWeights,
    classifiable: Path,
    series_dir: Path,
    images_dir: Path,
    healthy_dir: Path,
    tmp_path: Path,
) -> None:
    kind = task_in(bundle).cohort
    folders = {"images": images_dir, "series": series_dir}
    quick = {"backbone": "r3d_10" if kind == "people" else "test_resnet", "image_size": [64, 64]}
    settings: dict[str, Any] = {"dataset_dir": str(folders.get(kind, classifiable))}
    if len(configs) > 1 or configs[0].startswith("inference"):
        inference = configs[0].replace("train", "inference")
        settings["checkpoint"] = str(write_weights(bundle, inference, **quick))
    if kind == "people":
        settings |= {"backbone": "r3d_10", "volume_size": [24, 24, 24]}
        if configs[0].startswith("train"):
            settings |= {"healthy_dir": str(healthy_dir)}
    if "evaluate" in configs:
        settings["allow_trained_on"] = True  # these weights do not say whom they learned from
    if "from_images" in configs[-1]:
        settings["segmentation"] = str(write_weights(SEGMENTATION))
    workflow = start(tmp_path, *configs, bundle=bundle, **settings)
    assert workflow.check_properties() == []


@every_bundle
def test_every_target_exists(bundle: Path) -> None:
    from monai.bundle import ConfigComponent, ConfigParser

    def targets(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if ConfigComponent.is_instantiable(node):
                yield resolved(node["_target_"])
            yield from (target for part in node.values() for target in targets(part))
        elif isinstance(node, list):
            yield from (target for part in node for target in targets(part))

    for path in bundle.glob("configs/*.yaml"):
        for target in targets(ConfigParser.load_config_file(path)):
            assert locate(target), f"{path.name}: {target}"


@every_train
def test_a_training_config_is_short_and_in_the_order_of_all(train: Path) -> None:
    lines = train.read_text().splitlines()
    assert len(lines) <= LONGEST_TRAIN
    headings = [match[1] for line in lines if (match := re.fullmatch(r"# ([\w -]+)", line))]
    assert [heading for heading in headings if heading in BLOCKS] == BLOCKS


@every_train
def test_expressions_of_a_training_config_are_short(train: Path) -> None:
    def expressions(node: Any) -> Iterator[str]:
        if isinstance(node, str) and node.startswith("$"):
            yield node
        elif isinstance(node, dict | list):
            for part in node.values() if isinstance(node, dict) else node:
                yield from expressions(part)

    found = list(expressions(yaml.safe_load(train.read_text())))
    assert len(found) > 20
    assert [expression for expression in found if len(expression) > LONGEST_EXPRESSION] == []


@every_train
def test_several_processes_begin_as_one_does(train: Path) -> None:
    """No overlay of several processes says again what training begins with: it only sets how they are joined."""
    bundle = train.parents[1].name
    alone, joined = parse(bundle, train.stem), parse(bundle, train.stem, "multi_gpu_train")
    overlay = yaml.safe_load((train.parent / "multi_gpu_train.yaml").read_text())
    assert "initialize" not in overlay
    assert joined["initialize"] == alone["initialize"]
    begin = alone["initialize"]
    assert alone["join"] is None
    assert joined["join"] == "$distributed.start(@device)"
    place = begin.index("$@join")
    assert begin[0] == "$@code" and "exit('common is missing" in alone["code"]
    assert [step for step in begin[1:place] if "check_" not in step] == []  # a misspelt knob needs no processes
    assert begin[place + 1 :] == ["$running.seed_everything(@seed)"]  # the network may be drawn before the run
    assert alone["run"][0].startswith("$running.open_run")  # nothing is read or written before
    assert alone["run"][-1] == "$@train#trainer.run()"


@every_train
def test_an_evaluation_makes_the_checks_that_need_no_training(train: Path) -> None:
    begin, judge = (parse(train.parents[1].name, train.stem, *more)["initialize"] for more in ((), ("evaluate",)))
    assert judge == begin[: len(judge)] != []


@every_train
def test_handlers_stand_there_whatever_the_process(train: Path) -> None:
    """Who is silent above the first process decides that itself: no config repeats it for every handler."""
    assert "_disabled_" not in train.read_text()


@every_train
def test_the_parts_of_training_configs_come_in_one_order(train: Path) -> None:
    first, these = (list(yaml.safe_load(path.read_text())) for path in (TRAINS[0], train))
    knobs = {knob.name for path in (TRAINS[0], train) for knob in read_knobs(path)}
    parts = [key for key in these if key in first and key not in knobs]
    assert {"records", "split", "network_def", "train", "validate", "training"} < set(parts)
    assert parts == [key for key in first if key in parts]


@every_network
def test_what_inference_assumes_of_weights_that_record_nothing_is_what_training_does(inference: Path) -> None:
    bundle = inference.parents[1].name
    given = parse(bundle, inference.stem)["provenance"].get("assumed", {})
    training = parse(bundle, inference.stem.replace("inference", "train").replace("_from_images", "_masks"))
    for name in ("slices", "series"):
        if name in given:
            assert dict(given[name]) == training.get_parsed_content(f"provenance#{name}")


def shared_knobs() -> dict[str, list[Knob]]:
    """The knobs that several training configs have, by name."""
    found: dict[str, list[Knob]] = {}
    for path in TRAINS:
        for knob in read_knobs(path):
            found.setdefault(knob.name, []).append(knob)
    return {name: knobs for name, knobs in found.items() if len(knobs) > 1}


def test_a_knob_means_the_same_in_every_training_config() -> None:
    """Who knows one bundle knows them all. A word may differ where the thing does, and :data:`OWN_WORDS` says why."""
    knobs = shared_knobs()
    assert {"seed", "fold", "resume", "epochs", "lr"} < knobs.keys()
    defaults = {name: [yaml.safe_load(knob.default) for knob in same] for name, same in knobs.items()}
    kinds = {name: {type(value) for value in values if value is not None} for name, values in defaults.items()}
    assert {name: types for name, types in kinds.items() if len(types) > 1} == {}
    told = {name for name, same in knobs.items() if len({knob.meaning for knob in same}) > 1}
    assert told == OWN_WORDS.keys()


@pytest.mark.slow
@every_network
def test_torchscript_gives_the_same_logits(inference: Path, write_weights: WriteWeights, tmp_path: Path) -> None:
    from monai.bundle import ckpt_export

    bundle = inference.parents[1]
    weights = write_weights(bundle.name, inference.stem)
    ckpt_export(
        net_id="network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(weights),
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=str(inference),
    )
    scripted = torch.jit.load(tmp_path / "model.ts").eval()
    parser = parse(bundle.name, inference.stem)
    network = parser.get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    for shape in ((1, 64, 64), (3, 96, 128)):
        for call in inputs(parser, network, *shape):
            torch.testing.assert_close(scripted(*call), network(*call), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@every_network
def test_onnx_gives_the_same_logits_at_every_size(inference: Path, tmp_path: Path) -> None:
    """Each way of calling the network is a graph of its own: ONNX knows no optional input."""
    runtime = pytest.importorskip("onnxruntime")
    parser = parse(inference.parents[1].name, inference.stem)
    network = parser.get_parsed_content("network_def").eval()
    sizes = {0: "batch", 2: "height", 3: "width"}
    if isinstance(network, SpatioSpatialClassifier):
        sizes |= {4: "depth"}
    for index, example in enumerate(inputs(parser, network, 2, 64, 64)):
        names, file = ["image", "clinical"][: len(example)], tmp_path / f"{index}.onnx"
        sides = {0: "batch"} if isinstance(network, SliceClassifier) else sizes
        axes = {"image": sides, "clinical": {0: "batch"}, "pred": sizes if is_dense(network) else {0: "batch"}}
        torch.onnx.export(
            network,
            example,
            file,
            input_names=names,
            output_names=["pred"],
            dynamic_axes={name: axes[name] for name in (*names, "pred")},
            dynamo=False,  # the newer exporter fixes the sizes: the U-Net asks in Python whether they fit
        )
        session = runtime.InferenceSession(file)
        for shape in ((1, 64, 64), (3, 96, 128)):
            call = inputs(parser, network, *shape)[index]
            given = {name: tensor.numpy() for name, tensor in zip(names, call, strict=True)}
            (logits,) = session.run(None, given)
            torch.testing.assert_close(torch.from_numpy(logits), network(*call), rtol=1e-3, atol=1e-4)


def is_dense(network: torch.nn.Module) -> bool:
    """Whether it gives logits for each pixel."""
    return isinstance(network, SegmentationUNet)
