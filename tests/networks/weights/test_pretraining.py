from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
import torchvision
from torch import Tensor

from common.errors import CheckpointError
from common.networks import FusionClassifier
from common.networks.unet import SegmentationUNet
from common.networks.weights import pretraining
from common.networks.weights.pretraining import imagenet_weights


@pytest.fixture(scope="module")
def resnet18(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """Weights with torchvision's names, but random."""
    torch.manual_seed(7)
    weights = torchvision.models.resnet18(weights=None).state_dict()
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(weights, path)
    return path, weights


def test_the_stem_is_adapted_to_four_channels(resnet18: tuple[Path, dict[str, Tensor]]) -> None:
    """Red, green, blue, red again, each at three quarters: a grey image causes what it caused before."""
    path, weights = resnet18
    stem = imagenet_weights("resnet18", str(path), 4)["conv1.weight"]
    colours = weights["conv1.weight"]
    assert stem.shape == (64, 4, 7, 7)
    torch.testing.assert_close(stem, colours[:, [0, 1, 2, 0]] * 0.75)


def test_three_channels_stay_and_one_is_their_sum(resnet18: tuple[Path, dict[str, Tensor]]) -> None:
    path, weights = resnet18
    colours = weights["conv1.weight"]
    assert torch.equal(imagenet_weights("resnet18", str(path), 3)["conv1.weight"], colours)
    torch.testing.assert_close(
        imagenet_weights("resnet18", str(path), 1)["conv1.weight"], colours.sum(dim=1, keepdim=True)
    )


def test_the_encoder_takes_all_else_and_the_classifier_is_dropped(resnet18: tuple[Path, dict[str, Tensor]]) -> None:
    path, weights = resnet18
    encoder = SegmentationUNet(pretrained=str(path)).unet.encoder.state_dict()
    assert not any(name.startswith("fc") for name in encoder)
    assert encoder.keys() == weights.keys() - {"fc.weight", "fc.bias"}
    for name in encoder.keys() - {"conv1.weight"}:
        assert torch.equal(encoder[name], weights[name])
    torch.testing.assert_close(encoder["conv1.weight"], weights["conv1.weight"][:, [0, 1, 2, 0]] * 0.75)


def test_the_download_is_torchvisions(
    resnet18: tuple[Path, dict[str, Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def get_state_dict(self: Any, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        asked.append((self, kwargs["check_hash"]))
        return resnet18[1]

    monkeypatch.setattr(torchvision.models.ResNet18_Weights, "get_state_dict", get_state_dict)
    weights = imagenet_weights("resnet18", True, 4)
    assert asked == [(torchvision.models.ResNet18_Weights.IMAGENET1K_V1, True)]
    assert torch.equal(weights["layer1.0.conv1.weight"], resnet18[1]["layer1.0.conv1.weight"])


@pytest.mark.parametrize("error", [OSError("no route to host"), RuntimeError("invalid hash value")])
def test_a_failed_download_never_becomes_random_weights(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(torchvision.models.ResNet18_Weights, "get_state_dict", fail)
    with pytest.raises(CheckpointError) as caught:
        SegmentationUNet(pretrained=True)
    told = str(caught.value)
    assert str(error) in told
    assert "--pretrained false" in told
    assert "--pretrained <file>" in told


def test_files_that_are_no_weights_of_this_encoder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist") as caught:
        SegmentationUNet(pretrained=str(tmp_path / "no.pth"))
    assert "--pretrained" in str(caught.value)
    torch.save({"model": {}}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"holds no stem 'conv1\.weight'"):
        SegmentationUNet(pretrained=str(tmp_path / "a.pth"))
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "b.pth")
    with pytest.raises(CheckpointError, match="its layers are not those of resnet18"):
        SegmentationUNet(pretrained=str(tmp_path / "b.pth"))


def test_an_unknown_encoder() -> None:
    with pytest.raises(CheckpointError, match="could not be downloaded"):
        pretraining.imagenet_weights("resnet19", True, 4)


@pytest.fixture(scope="module")
def timm_weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Tensor]]]:
    """Weights of whole timm networks with 1,000 classes, random, batch norm included."""
    torch.manual_seed(7)
    folder, weights = tmp_path_factory.mktemp("timm"), {}
    for name in ("densenet121", "resnet10t"):
        network = timm.create_model(name)
        weights[name] = {
            key: torch.rand_like(value) + 0.1 if value.is_floating_point() else value
            for key, value in network.state_dict().items()
        }
        torch.save(weights[name], folder / f"{name}.pth")
        safetensors.torch.save_file(weights[name], folder / f"{name}.safetensors")
    return folder, weights


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize(("name", "stem"), [("densenet121", "features.conv0.weight"), ("resnet10t", "conv1.0.weight")])
def test_a_backbone_takes_timms_weights_and_adapts_its_stem(
    timm_weights: tuple[Path, dict[str, dict[str, Tensor]]], name: str, stem: str, suffix: str
) -> None:
    folder, weights = timm_weights
    network = FusionClassifier(name, 12, pretrained=str(folder / f"{name}.{suffix}"))
    loaded, given = network.backbone.state_dict(), weights[name]
    for key in loaded.keys() - {stem}:
        assert torch.equal(loaded[key], given[key]), key
    torch.testing.assert_close(loaded[stem], given[stem].repeat(1, 4, 1, 1) / 4)
    assert not any(key.startswith(("fc.", "classifier.")) for key in loaded)
    assert "state_dict" not in network.backbone.pretrained_cfg  # they would stay in memory twice


def test_weights_under_a_key_and_with_torchvisions_names(
    timm_weights: tuple[Path, dict[str, dict[str, Tensor]]], tmp_path: Path
) -> None:
    torch.save({"state_dict": timm_weights[1]["resnet10t"], "epoch": 3}, tmp_path / "a.pth")
    network = FusionClassifier("resnet10t", 3, pretrained=str(tmp_path / "a.pth"))
    assert torch.equal(network.backbone.conv1[0].weight, timm_weights[1]["resnet10t"]["conv1.0.weight"])
    torch.manual_seed(8)
    weights = torchvision.models.densenet121(weights=None).state_dict()
    torch.save(weights, tmp_path / "b.pth")
    network = FusionClassifier("densenet121", 3, pretrained=str(tmp_path / "b.pth"))
    assert torch.equal(network.backbone.features.conv0.weight, weights["features.conv0.weight"])


def dropped(weights: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    return {key: value for key, value in weights.items() if not key.startswith(start)}


@pytest.mark.parametrize("start", ["layer4.", "conv1.0.", "layer1.0.bn1.running_mean", ""])
def test_a_file_that_lacks_layers_never_leaves_them_random(
    timm_weights: tuple[Path, dict[str, dict[str, Tensor]]], tmp_path: Path, start: str
) -> None:
    """timm itself loads such a file, and says so only in its log."""
    weights = {**dropped(timm_weights[1]["resnet10t"], start), "other": torch.rand(3)}
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"it lacks \d+ of 70 layers of resnet10t \(such as ") as caught:
        FusionClassifier("resnet10t", 12, pretrained=str(tmp_path / "a.pth"))
    assert "Give timm's weights of resnet10t." in str(caught.value)


def test_files_that_are_no_weights_of_this_backbone(
    timm_weights: tuple[Path, dict[str, dict[str, Tensor]]], tmp_path: Path
) -> None:
    folder, _ = timm_weights
    with pytest.raises(CheckpointError, match="densenet121"):
        FusionClassifier("densenet121", pretrained=str(folder / "resnet10t.pth"))
    torch.save(timm.create_model("resnet18").state_dict(), tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"its layers are not those of resnet10t \(Error"):
        FusionClassifier("resnet10t", 3, pretrained=str(tmp_path / "other.pth"))
    for name, content in (("a.pth", {"epoch": 3}), ("b.pth", {"state_dict": {}})):
        torch.save(content, tmp_path / name)
        with pytest.raises(CheckpointError, match="it holds no weights"):
            FusionClassifier("resnet10t", 3, pretrained=str(tmp_path / name))
    torch.save({"weight": torch.zeros(1), "code": Path("x")}, tmp_path / "c.pth")
    with pytest.raises(CheckpointError, match="it holds Python objects, which could run code"):
        FusionClassifier("resnet10t", 3, pretrained=str(tmp_path / "c.pth"))
    (tmp_path / "d.safetensors").write_bytes(b"no weights")
    for name in ("d.safetensors", "none.safetensors"):
        with pytest.raises(CheckpointError, match="it cannot be read"):
            FusionClassifier("resnet10t", 3, pretrained=str(tmp_path / name))


def test_a_hub_that_cannot_be_reached_never_becomes_random_weights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError, match="ImageNet weights could not be downloaded") as caught:
        FusionClassifier("densenet121", pretrained=True)
    told = str(caught.value)
    assert told.startswith("--pretrained true (densenet121): ")
    assert "Pass --pretrained false" in told
    assert "--pretrained <file> with timm's weights" in told
    assert len(caught.value.problems) == 1


def test_a_download_is_timms(
    timm_weights: tuple[Path, dict[str, dict[str, Tensor]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def from_hub(name: str, **kwargs: Any) -> dict[str, Tensor]:
        asked.append((name, kwargs.get("weights_only")))
        return dict(timm_weights[1]["densenet121"])

    monkeypatch.setattr("timm.models._builder.load_state_dict_from_hf", from_hub)
    network = FusionClassifier("densenet121", 3, pretrained=True)
    assert asked == [("timm/densenet121.ra_in1k", True)]
    expected = timm_weights[1]["densenet121"]["features.conv0.weight"]
    assert torch.equal(network.backbone.features.conv0.weight, expected)


@pytest.mark.parametrize("prefix", ["module.", "model."])
def test_wrapped_weights_of_an_encoder_are_unwrapped(
    tmp_path: Path, resnet18: tuple[Path, dict[str, Tensor]], prefix: str
) -> None:
    _, weights = resnet18
    torch.save({"state_dict": {f"{prefix}{key}": value for key, value in weights.items()}}, tmp_path / "wrapped.pth")
    found = imagenet_weights("resnet18", str(tmp_path / "wrapped.pth"), 3)
    assert torch.equal(found["layer1.0.conv1.weight"], weights["layer1.0.conv1.weight"])
