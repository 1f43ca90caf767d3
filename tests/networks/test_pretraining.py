from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor

from common.errors import CheckpointError
from common.networks import pretraining
from common.networks.pretraining import imagenet_weights
from common.networks.unet import SegmentationUNet


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
