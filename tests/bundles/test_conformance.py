"""What MONAI, MONAI Label and deployment tools expect of every bundle."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
import torch

BUNDLES = sorted(
    path.parent.parent for path in Path(__file__).resolve().parents[2].glob("bundles/*/configs/train.yaml")
)
NETWORKS = {"glioma_segmentation": ["", "stage2", "stage3"]}
"""Overlays of each bundle that change its network or its stage."""

LONGEST_TRAIN = 220  # lines
BLOCKS = ["data", "split", "run", "network", "learning", "--- end of knobs ---"]

Start = Callable[..., Any]
every_bundle = pytest.mark.parametrize("bundle", BUNDLES, ids=lambda bundle: bundle.name)


def overlays() -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every order of configs that the documents allow."""
    for bundle in BUNDLES:
        for network in NETWORKS[bundle.name]:
            for rest in ((), ("paper",), ("evaluate",), ("paper", "evaluate")):
                yield bundle, ("train", *filter(None, [network]), *rest)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Writes weights of a bundle's network, with batch norm in a state that only training leaves."""

    def write(bundle: Path) -> Path:
        from monai.bundle import ConfigParser

        from common.networks.checkpoints import save_checkpoint

        parser = ConfigParser(ConfigParser.load_config_file(bundle / "configs" / "inference.yaml"))
        network = parser.get_parsed_content("network_def")
        network.train()(torch.rand(4, 4, 64, 64))
        path = tmp_path_factory.mktemp("weights") / "models" / "model.pt"
        save_checkpoint(path, {"model": network.state_dict(), "provenance": {}})
        return path

    return write


@every_bundle
@pytest.mark.parametrize("configs", [("train",), ("train", "evaluate"), ("inference",)], ids="+".join)
def test_the_properties_of_a_bundle_are_all_there(
    bundle: Path, configs: tuple[str, ...], start: Start, checkpoint: Callable[[Path], Path], tmp_path: Path
) -> None:
    settings: dict[str, Any] = {} if configs == ("train",) else {"checkpoint": str(checkpoint(bundle))}
    if "evaluate" in configs:
        settings["allow_trained_on"] = True  # these weights do not say whom they learned from
    workflow = start(tmp_path, *configs, bundle=bundle.name, **settings)
    assert workflow.check_properties() == []


@pytest.mark.parametrize(
    ("bundle", "configs"), overlays(), ids=lambda part: part.name if isinstance(part, Path) else "+".join(part)
)
def test_overlays_fit_together(bundle: Path, configs: tuple[str, ...]) -> None:
    from monai.bundle import ConfigParser

    parser = ConfigParser(ConfigParser.load_config_files([bundle / "configs" / f"{name}.yaml" for name in configs]))
    parser["pretrained"] = False  # no weights are fetched in a test
    network = parser.get_parsed_content("network_def")
    assert network.eval()(torch.rand(1, 4, 64, 64)).shape == (1, 4, 64, 64)
    assert parser.get_parsed_content("protocol") == ("paper" if "paper" in configs else "patient")
    assert parser.get_parsed_content("stage") == next((int(name[-1]) for name in configs if name[:5] == "stage"), 1)


@every_bundle
def test_every_target_exists(bundle: Path) -> None:
    from monai.bundle import ConfigComponent, ConfigParser

    def targets(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if ConfigComponent.is_instantiable(node):
                yield ConfigComponent(node).resolve_module_name()
            yield from (target for part in node.values() for target in targets(part))
        elif isinstance(node, list):
            yield from (target for part in node for target in targets(part))

    for path in bundle.glob("configs/*.yaml"):
        for target in targets(ConfigParser.load_config_file(path)):
            assert locate(target), f"{path.name}: {target}"


@every_bundle
def test_train_yaml_is_short_and_in_the_order_of_all(bundle: Path) -> None:
    lines = (bundle / "configs" / "train.yaml").read_text().splitlines()
    assert len(lines) <= LONGEST_TRAIN
    headings = [match[1] for line in lines if (match := re.fullmatch(r"# ([\w -]+)", line))]
    assert [heading for heading in headings if heading in BLOCKS] == BLOCKS


@every_bundle
def test_torchscript_gives_the_same_logits(bundle: Path, checkpoint: Callable[[Path], Path], tmp_path: Path) -> None:
    from monai.bundle import ConfigParser, ckpt_export

    config, weights = bundle / "configs" / "inference.yaml", checkpoint(bundle)
    ckpt_export(
        net_id="network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(weights),
        meta_file=str(bundle / "configs" / "metadata.json"),
        config_file=str(config),
        key_in_ckpt="model",
    )
    scripted = torch.jit.load(tmp_path / "model.ts").eval()
    network = ConfigParser(ConfigParser.load_config_file(config)).get_parsed_content("network_def").eval()
    network.load_state_dict(torch.load(weights, weights_only=True)["model"])
    for shape in ((1, 4, 64, 64), (3, 4, 96, 128)):
        image = torch.rand(shape)
        torch.testing.assert_close(scripted(image), network(image), rtol=1e-4, atol=1e-4)


@every_bundle
def test_onnx_gives_the_same_logits_at_every_size(bundle: Path, tmp_path: Path) -> None:
    from monai.bundle import ConfigParser

    runtime = pytest.importorskip("onnxruntime")
    parser = ConfigParser(ConfigParser.load_config_file(bundle / "configs" / "inference.yaml"))
    network = parser.get_parsed_content("network_def").eval()
    sizes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        network,
        (torch.rand(1, 4, 64, 64),),
        tmp_path / "model.onnx",
        input_names=["image"],
        output_names=["pred"],
        dynamic_axes={"image": sizes, "pred": sizes},
        dynamo=False,  # the newer exporter fixes the sizes: the U-Net asks in Python whether they fit
    )
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    for shape in ((1, 4, 64, 64), (3, 4, 96, 128)):
        image = torch.rand(shape)
        (logits,) = session.run(None, {"image": image.numpy()})
        torch.testing.assert_close(torch.from_numpy(logits), network(image), rtol=1e-3, atol=1e-4)
