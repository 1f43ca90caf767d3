from __future__ import annotations

import io
import re
from typing import Any

import pytest
import torch
from monai.data import DataLoader, Dataset
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from torch import Tensor, nn

from common.errors import DatasetError, KnobError
from common.networks import BagInferer, FusionClassifier, PrepareClinicalBatch, check_frozen_start
from common.networks.backbones import BACKBONES

SMALL = "resnet10t"
SIDE = 80  # the smallest that every backbone takes is 75


def linears(module: nn.Module) -> list[tuple[int, int]]:
    return [(part.in_features, part.out_features) for part in module.modules() if isinstance(part, nn.Linear)]


def kinds(module: nn.Module) -> list[str]:
    return [type(part).__name__ for part in module.modules() if not list(part.children())]


@pytest.mark.parametrize("channels", [3, 12])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_eight_backbones_take_any_number_of_channels(backbone: str, channels: int) -> None:
    seen: list[torch.Size] = []
    with torch.device("meta"), torch.no_grad():  # shapes without numbers
        network = FusionClassifier(backbone, in_channels=channels, num_classes=3, in_clinical=2, units=(8, 4)).eval()
        network.feature_maps.register_forward_hook(lambda _module, _inputs, maps: seen.append(maps.shape))
        logits = network(torch.rand(2, channels, SIDE, SIDE), torch.rand(2, 2))
    assert logits.shape == (2, 3)
    width = linears(network.head)[0][0] - 2
    assert seen[0][:2] == (2, width)
    assert len(seen[0]) == 4
    assert {name.partition(".")[0] for name, _ in network.named_parameters()} == {"backbone", "head"}


def test_without_units_the_features_are_the_last_layers_input() -> None:
    """P5: ResNet-18 with a fully connected layer of two; 11,176,512 weights before it."""
    network = FusionClassifier("resnet18", in_channels=3, num_classes=2, units=[])
    assert linears(network) == [(512, 2)]
    assert sum(weight.numel() for weight in network.backbone.parameters()) == 11_176_512
    assert kinds(network.head) == ["Linear"]


def test_vgg16_is_pooled_from_its_feature_maps() -> None:
    """512 channels, not the 4,096 of its dense layers, which are gone: 14.7 of 138 million weights are left."""
    network = FusionClassifier("vgg16", in_channels=3)
    assert linears(network.head)[0] == (512, 256)
    assert sum(weight.numel() for weight in network.backbone.parameters()) == 14_714_688


@pytest.mark.slow
@pytest.mark.parametrize("backbone", ["densenet121", "resnet50", "vgg16"])
@pytest.mark.parametrize("in_clinical", [0, 3])
def test_torchscript_gives_the_same_logits_with_and_without_clinical_values(backbone: str, in_clinical: int) -> None:
    network = FusionClassifier(backbone, in_channels=3, in_clinical=in_clinical, image_units=8, units=(8, 4)).eval()
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(network), file)
    file.seek(0)
    scripted, image = torch.jit.load(file), torch.rand(2, 3, 64, 64)
    clinical = torch.rand(2, 3) if in_clinical else None
    with torch.no_grad():
        torch.testing.assert_close(scripted(image), network(image))
        torch.testing.assert_close(scripted(image, clinical), network(image, clinical))


def test_p1s_best_grade_head() -> None:
    """P1, Table 3: 256 and 256 units, one batch normalisation; raw clinical values join DenseNet121's 1,024."""
    network = FusionClassifier(in_clinical=4)
    assert linears(network) == [(1024 + 4, 256), (256, 256), (256, 2)]
    block = ["Linear", "PatientBatchNorm", "ReLU", "Dropout"]
    assert kinds(network.head) == [*block, "Linear", "ReLU", "Dropout", "Linear"]
    assert {part.p for part in network.head.modules() if isinstance(part, nn.Dropout)} == {0.3}


def test_p1s_survival_head_as_text() -> None:
    network = FusionClassifier(SMALL, num_classes=3, units="[32, 64]", batch_norm=2, dropout="0.2", activation="tanh")  # type: ignore[arg-type]
    block = ["Linear", "PatientBatchNorm", "Tanh", "Dropout"]
    assert kinds(network.head) == [*block, *block, "Linear"]
    assert linears(network) == [(512, 32), (32, 64), (64, 3)]


def test_p3s_network_joins_138_values() -> None:
    """P3, section 4.2.2: 2048 → 128, ReLU, dropout; age → 10, ReLU, 10; 138 → 256 → 128 → 3."""
    network = FusionClassifier(
        "resnet50", 3, 3, in_clinical=1, units=(256, 128), batch_norm=0, image_units=128, clinical_units=(10, 10)
    )
    assert linears(network.image_branch) == [(2048, 128)]
    assert kinds(network.image_branch) == ["Linear", "ReLU", "Dropout"]
    assert linears(network.clinical_branch) == [(1, 10), (10, 10)]
    assert kinds(network.clinical_branch) == ["Linear", "ReLU", "Linear"]
    assert linears(network.head) == [(138, 256), (256, 128), (128, 3)]
    assert kinds(network.head) == [*["Linear", "ReLU", "Dropout"] * 2, "Linear"]


def test_without_clinical_values_there_is_no_branch_for_them() -> None:
    network = FusionClassifier(SMALL, image_units=128, clinical_units=(10, 10))
    assert linears(network.head)[0] == (128, 256)
    assert not list(network.clinical_branch.parameters())


def test_the_logits_depend_on_the_clinical_values_and_absent_ones_count_as_zeros() -> None:
    network = FusionClassifier(SMALL, 3, in_clinical=2).eval()
    image = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        absent, zeros, ones = network(image), network(image, torch.zeros(2, 2)), network(image, torch.ones(2, 2))
    assert torch.equal(absent, zeros)
    assert not torch.allclose(zeros, ones)


def step(network: FusionClassifier) -> set[str]:
    """Names of the weights and buffers that a training step changes."""
    torch.manual_seed(0)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD([weight for weight in network.parameters() if weight.requires_grad], lr=0.1)
    network(torch.randn(4, 3, 32, 32), torch.randn(4, 1)).square().mean().backward()
    optimizer.step()
    return {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}


def test_with_a_frozen_backbone_a_step_changes_the_dense_layers_alone() -> None:
    parts: dict[str, Any] = {"in_clinical": 1, "image_units": 8, "clinical_units": (4, 4), "dropout": 0.0}
    frozen = FusionClassifier(SMALL, 3, trainable="head", **parts)
    changed = step(frozen)
    assert {name.partition(".")[0] for name in changed} == {"image_branch", "clinical_branch", "head"}
    assert frozen.head.training and not frozen.backbone.training
    everything = FusionClassifier(SMALL, 3, **parts)
    changed = step(everything)
    assert {name.partition(".")[0] for name in changed} == {"backbone", "image_branch", "clinical_branch", "head"}
    assert changed >= {name for name, _ in everything.named_buffers()}


def patients(number: int, in_clinical: int = 1) -> Dataset:
    torch.manual_seed(0)
    items = [
        {"subject": f"P{index}", "image": torch.rand(3, 64, 64), "label": index % 2, "clinical": [0.5] * in_clinical}
        for index in range(number)
    ]
    return Dataset(items)


def test_seventeen_patients_in_batches_of_sixteen() -> None:
    """The last batch is a single patient, whom batch normalisation alone cannot take."""
    network = FusionClassifier(SMALL, 3, in_clinical=1, units=(8, 4), batch_norm=2)
    losses: list[float] = []
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=DataLoader(patients(17), batch_size=16),
        network=network,
        optimizer=torch.optim.Adam(network.parameters()),
        loss_function=lambda logits, label: _keep(nn.functional.cross_entropy(logits, label), losses),
        prepare_batch=PrepareClinicalBatch(1),
    )
    trainer.run()
    assert len(losses) == 2
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def _keep(loss: Tensor, losses: list[float]) -> Tensor:
    losses.append(loss.item())
    return loss


@pytest.mark.parametrize("label", [True, False])
@pytest.mark.parametrize("in_clinical", [0, 1])
def test_an_evaluator_reads_labels_and_values_only_where_they_are(label: bool, in_clinical: int) -> None:
    network = FusionClassifier(SMALL, 3, in_clinical=in_clinical).eval()
    data = patients(3)
    if not label:
        data = Dataset([{key: value for key, value in item.items() if key != "label"} for item in data])
    seen: list[Tensor] = []
    evaluator = SupervisedEvaluator(
        device=torch.device("cpu"),
        val_data_loader=DataLoader(data, batch_size=2),
        network=network,
        inferer=BagInferer(),
        prepare_batch=PrepareClinicalBatch(in_clinical),
        postprocessing=lambda item: seen.append(item["pred"]) or item,
    )
    evaluator.run()
    images = torch.stack([item["image"] for item in data])
    with torch.no_grad():
        expected = network(images, torch.full((3, 1), 0.5)) if in_clinical else network(images)
    torch.testing.assert_close(torch.stack(seen), expected, atol=1e-5, rtol=1e-4)


def test_images_that_are_too_small() -> None:
    network = FusionClassifier("inception_v3", 3)
    told = "the backbone needs images of 75 pixels or more a side, and these have 74 x 80"
    with pytest.raises(DatasetError, match=re.escape(told)):
        network(torch.rand(1, 3, 74, 80))


def test_the_memory_format_changes_no_result() -> None:
    one = FusionClassifier(SMALL, 3).eval()
    other = FusionClassifier(SMALL, 3, pretrained="false", channels_last="false").eval()  # type: ignore[arg-type]
    other.load_state_dict(one.state_dict())
    stems = [network.backbone.conv1[0].weight for network in (one, other)]
    assert [stem.is_contiguous(memory_format=torch.channels_last) for stem in stems] == [True, False]
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(one(image), other(image), atol=1e-4, rtol=1e-4)


def test_a_frozen_random_backbone_is_refused_where_a_run_starts() -> None:
    FusionClassifier(SMALL, 3, trainable="head")  # for inference
    for pretrained in (False, "false", None):
        with pytest.raises(KnobError, match="a frozen backbone with random weights learns nothing"):
            check_frozen_start("head", pretrained)
    check_frozen_start("head", True)
    check_frozen_start("head", "weights.safetensors")
    check_frozen_start("head", False, "model.pt")
    check_frozen_start("all", False)
