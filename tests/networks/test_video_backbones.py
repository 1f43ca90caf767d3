from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor
from torchvision.models.video import MC3_18_Weights

from common.errors import CheckpointError
from common.networks import SpatioSpatialClassifier
from common.networks.video_backbones import create_video_backbone


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Tensor]]:
    """Weights with torchvision's names for MC3-18 and 400 classes, random, in either kind of file."""
    torch.manual_seed(7)
    weights = {
        name: torch.rand_like(value) if value.is_floating_point() else value
        for name, value in torchvision.models.video.mc3_18(weights=None).state_dict().items()
    }
    folder = tmp_path_factory.mktemp("kinetics")
    torch.save(weights, folder / "mc3_18.pth")
    safetensors.torch.save_file(weights, folder / "mc3_18.safetensors")
    return folder, weights


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("in_channels", [1, 3])
def test_all_but_stem_and_head_is_taken_over(
    kinetics: tuple[Path, dict[str, Tensor]], in_channels: int, suffix: str
) -> None:
    folder, weights = kinetics
    network = SpatioSpatialClassifier("mc3_18", in_channels, pretrained=str(folder / f"mc3_18.{suffix}"))
    loaded = network.backbone.state_dict()
    taken = {name for name in loaded if name in weights and torch.equal(loaded[name], weights[name])}
    assert taken == {name for name in loaded if not name.startswith("stem.")} | {"stem.1.num_batches_tracked"}
    assert loaded["stem.0.weight"].shape == (64, in_channels, 3, 7, 7)
    assert network.head[1].out_features == 3


def test_a_stem_starts_as_torchvisions() -> None:
    """Kaiming's normal values over what a filter hands on: variance 2 / (64 filters x 3 x 7 x 7)."""
    torch.manual_seed(0)
    stem: Any = create_video_backbone("r3d_10", 4)[0]
    assert float(stem[0].weight.detach().std()) == pytest.approx((2 / (64 * 3 * 7 * 7)) ** 0.5, rel=0.02)
    assert stem[0].stride == (1, 2, 2) and stem[0].padding == (1, 3, 3)


def test_old_files_lack_the_batch_counters(kinetics: tuple[Path, dict[str, Tensor]], tmp_path: Path) -> None:
    weights = {name: value for name, value in kinetics[1].items() if not name.endswith("num_batches_tracked")}
    torch.save(weights, tmp_path / "old.pth")
    backbone = create_video_backbone("mc3_18", 1, str(tmp_path / "old.pth"))
    assert torch.equal(backbone.state_dict()["layer4.1.conv2.0.weight"], weights["layer4.1.conv2.0.weight"])


@pytest.mark.parametrize(
    ("backbone", "change", "told"),
    [
        ("mc3_18", {"layer4.1.conv2.0.weight": None}, r"\(layer4\.1\.conv2\.0\.weight is missing\)"),
        ("mc3_18", {"layer5.weight": torch.zeros(1)}, r"\(layer5\.weight is unknown\)"),
        ("r3d_18", {}, r"\(layer2\.0\.conv1\.0\.weight is \(128, 64, 1, 3, 3\), not .*; and \d+ more\)"),
    ],
    ids=["a layer less", "a layer more", "another network"],
)
def test_weights_that_do_not_fit_are_refused_in_one_message(
    kinetics: tuple[Path, dict[str, Tensor]], tmp_path: Path, backbone: str, change: dict[str, Any], told: str
) -> None:
    weights = {name: value for name, value in {**kinetics[1], **change}.items() if value is not None}
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=rf"its layers are not those of {backbone} {told}") as caught:
        create_video_backbone(backbone, 1, str(tmp_path / "a.pth"))
    assert len(caught.value.problems) == 1
    assert f"Give torchvision's weights of {backbone}" in str(caught.value)


def test_no_file_of_weights(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the checkpoint does not exist"):
        create_video_backbone("mc3_18", 1, str(tmp_path / "none.pth"))
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=r"it holds no weights. Give torchvision's weights of mc3_18\."):
        create_video_backbone("mc3_18", 1, str(tmp_path / "a.pth"))


def test_the_download_is_torchvisions(
    kinetics: tuple[Path, dict[str, Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def get_state_dict(self: Any, *args: Any, **kwargs: Any) -> dict[str, Tensor]:
        asked.append((self, kwargs["check_hash"]))
        return kinetics[1]

    monkeypatch.setattr(MC3_18_Weights, "get_state_dict", get_state_dict)
    network = SpatioSpatialClassifier("mc3_18", pretrained="true")
    assert asked == [(MC3_18_Weights.KINETICS400_V1, True)]
    assert torch.equal(network.backbone.layer1[0].conv1[0].weight, kinetics[1]["layer1.0.conv1.0.weight"])


def test_what_cannot_be_had_never_becomes_random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(MC3_18_Weights, "get_state_dict", fail)
    with pytest.raises(CheckpointError, match="Kinetics-400 weights could not be downloaded") as caught:
        create_video_backbone("mc3_18", 1, True)
    assert "no route to host" in str(caught.value) and "--pretrained <file>" in str(caught.value)
    with pytest.raises(CheckpointError, match="--backbone r3d_10: there are no Kinetics-400 weights of it"):
        create_video_backbone("r3d_10", 1, True)
