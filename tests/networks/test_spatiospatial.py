from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from common.errors import KnobError
from common.networks import SpatioSpatialClassifier, grad_cam
from common.networks.video_backbones import PUBLISHED, VIDEO_BACKBONES

QUICK: dict[str, Any] = {"backbone": "r3d_10"}


@pytest.mark.parametrize(
    ("backbone", "parameters"), [("r3d_18", 33_148_995), ("mc3_18", 11_472_963), ("r2plus1d_18", 31_297_254)]
)
def test_as_many_parameters_as_the_networks_of_p4(backbone: str, parameters: int) -> None:
    with torch.device("meta"):
        network = SpatioSpatialClassifier(backbone, in_channels=1, num_classes=3)
    assert sum(weight.numel() for weight in network.parameters()) == parameters


@pytest.mark.parametrize("backbone", PUBLISHED)
def test_it_is_torchvisions_network_with_slices_for_frames(backbone: str) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(backbone, weights=None, num_classes=3).eval()
    ours = SpatioSpatialClassifier(backbone, in_channels=3).eval()
    ours.backbone.load_state_dict({key: value for key, value in theirs.state_dict().items() if "fc" not in key})
    ours.head[1].load_state_dict(theirs.fc.state_dict())
    volume = torch.rand(2, 3, 24, 16, 20)
    with torch.no_grad():
        logits = theirs(volume.permute(0, 1, 4, 3, 2))
        torch.testing.assert_close(ours(volume), logits, rtol=1e-4, atol=1e-5)
        turned = ours(volume.permute(0, 1, 2, 4, 3))
    assert (turned - logits).abs().max() > 1e-3


def test_mc3_sees_slices_alone_after_its_first_stage() -> None:
    network = SpatioSpatialClassifier("mc3_18")
    depths = {
        name: {layer.kernel_size[0] for layer in part.modules() if isinstance(layer, nn.Conv3d)}
        for name, part in network.backbone.named_children()
    }
    assert depths == {"stem": {3}, "layer1": {3}, "layer2": {1}, "layer3": {1}, "layer4": {1}}


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize(("backbone", "size"), [("r3d_10", (2, 3, 4)), ("mc3_18", (2, 3, 32))])
def test_feature_maps_lie_as_the_volume(backbone: str, size: tuple[int, ...], channels_last: bool) -> None:
    network = SpatioSpatialClassifier(backbone, channels_last=channels_last).eval()
    seen: list[Tensor] = []
    network.feature_maps.register_forward_hook(lambda _module, _inputs, maps: seen.append(maps))
    volume = torch.rand(1, 1, 32, 48, 32)
    network(volume)
    assert seen[0].shape == (1, 512, *size)
    cam = grad_cam(network, volume, class_index=0)
    assert cam.shape == volume.shape
    assert float(cam.min()) >= 0 and float(cam.max()) <= 1


@pytest.mark.parametrize("channels_last", [True, False])
def test_memory_format_changes_no_logit(channels_last: bool) -> None:
    torch.manual_seed(0)
    network = SpatioSpatialClassifier(**QUICK, channels_last=str(channels_last)).eval()
    stage = network.backbone.layer2[0].conv1[0].weight
    assert stage.is_contiguous(memory_format=torch.channels_last_3d) is channels_last
    volume = torch.rand(2, 1, 16, 24, 16)
    torch.testing.assert_close(network(volume), network.to(memory_format=torch.contiguous_format)(volume))


def test_with_a_frozen_body_the_new_layers_learn_and_the_stages_stay() -> None:
    network = SpatioSpatialClassifier(**QUICK, trainable="head", checkpointing=True).train()
    before = {name: value.clone() for name, value in network.backbone.state_dict().items()}
    network(torch.rand(2, 1, 16, 16, 16)).sum().backward()
    changed = {name for name, value in network.backbone.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {f"stem.1.{name}" for name in ("running_mean", "running_var", "num_batches_tracked")}
    learning = {name.split(".")[1] for name, weight in network.named_parameters() if weight.grad is not None}
    assert learning == {"stem", "1"}
    assert network.training and network.backbone.stem.training and not network.backbone.layer1.training
    assert SpatioSpatialClassifier(**QUICK).train().backbone.layer1.training


def test_dropout_acts_before_the_dense_layer_in_training_alone() -> None:
    network = SpatioSpatialClassifier(**QUICK, dropout="0.9")
    maps = torch.ones(1, 512)
    assert int((network.head[0](maps) == 0).sum()) > 400
    assert torch.equal(network.eval().head[0](maps), maps)


def test_every_knob_without_a_meaning_is_told() -> None:
    with pytest.raises(KnobError) as caught:
        SpatioSpatialClassifier("r3d_34", in_channels=0, num_classes=1, dropout=1.0, trainable="stem")
    assert [problem.where for problem in caught.value.problems] == [
        *("--backbone", "--in_channels", "--num_classes", "--dropout", "--trainable")
    ]
    assert f"Choose one of: {', '.join(VIDEO_BACKBONES)}." in str(caught.value)
    for knob in ("checkpointing", "channels_last"):
        with pytest.raises(KnobError, match=f"--{knob}: 'perhaps' is neither true nor false"):
            SpatioSpatialClassifier(**QUICK, **{knob: "perhaps"})


@pytest.mark.slow
@pytest.mark.parametrize("backbone", VIDEO_BACKBONES)
def test_torchscript_gives_the_same_logits_at_every_size(backbone: str) -> None:
    network = SpatioSpatialClassifier(backbone, in_channels=2, checkpointing=True).eval()
    scripted = torch.jit.script(network)
    for shape in ((1, 2, 16, 16, 16), (2, 2, 20, 17, 24)):
        volume = torch.rand(shape)
        torch.testing.assert_close(scripted(volume), network(volume))


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["r3d_10", "mc3_18", "r2plus1d_18"])
def test_onnx_gives_the_same_logits_at_every_size(backbone: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime")
    network, file = SpatioSpatialClassifier(backbone).eval(), tmp_path / "model.onnx"
    axes = {"image": {0: "batch", 2: "x", 3: "y", 4: "z"}, "pred": {0: "batch"}}
    torch.onnx.export(
        network,
        (torch.rand(1, 1, 16, 16, 16),),
        file,
        input_names=["image"],
        output_names=["pred"],
        dynamic_axes=axes,
        dynamo=False,
    )
    session = runtime.InferenceSession(file)
    for shape in ((1, 1, 16, 16, 16), (2, 1, 20, 17, 24)):
        volume = torch.rand(shape)
        (logits,) = session.run(None, {"image": volume.numpy()})
        torch.testing.assert_close(torch.from_numpy(logits), network(volume), rtol=1e-3, atol=1e-5)
