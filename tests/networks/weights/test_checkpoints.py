from __future__ import annotations

import errno
import gzip
import os
import pickle
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ignite.handlers
import monai.networks.utils
import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from common.errors import CheckpointError, OutputError
from common.networks.unet import SegmentationUNet, deep_head
from common.networks.weights.checkpoints import (
    load_checked,
    load_weights,
    plain_values,
    provenance_of,
    save_checkpoint,
    save_weights,
    use_weights,
)
from tests.facts import in_order


class Net(nn.Module):
    """The parts and names of the U-Net, at the size of a test."""

    def __init__(self, head: str = "standard", width: int = 2) -> None:
        super().__init__()
        self.unet = nn.Module()
        self.unet.encoder = nn.Conv2d(4, width, 1)
        self.unet.segmentation_head = deep_head(4) if head == "deep" else nn.Sequential(nn.Conv2d(16, 4, 3, padding=1))


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def begin_stage(network: nn.Module, path: Path) -> dict[str, Any]:
    return use_weights(network, load_checked(path), path, head_may_differ=True)


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(CheckpointError) as caught:
        call()
    (problem,) = caught.value.problems
    return str(problem)


class Payload:
    """A pickle that makes a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.victim}'",)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    victim, path = tmp_path / "victim", tmp_path / "model.pt"
    content = {"model": {}, "extra": Payload(victim)}
    if zipped:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content, protocol=2))
    assert "it holds Python objects, which could run code" in refused(lambda: load_checked(path))
    assert not victim.exists()
    pickle.loads(pickle.dumps(Payload(victim)))  # it would have
    assert victim.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world, this is a text\n" * 20,
        b"<html><body>404</body></html>",
        b'{"model": 1}',
        gzip.compress(b"x" * 1000, mtime=0),
        bytes(range(256)) * 9,
    ],
    ids=["empty", "text", "html", "json", "gzip", "bytes"],
)
def test_any_other_file_is_no_checkpoint(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(content)
    told = refused(lambda: load_checked(path))
    assert told.startswith(f"{path}: it ")
    assert "Python objects" not in told
    assert "\n" not in told


def test_a_cut_checkpoint_a_folder_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": {"a": torch.zeros(1000)}})
    path.write_bytes(path.read_bytes()[:2000])
    assert "it cannot be read" in refused(lambda: load_checked(path))
    assert "it cannot be read" in refused(lambda: load_checked(tmp_path))
    assert "the checkpoint does not exist. Train first" in refused(lambda: load_checked(tmp_path / "no.pt"))


@pytest.mark.parametrize("content", [[1, 2], torch.zeros(3), {"model": 3}, {"model": {}, "provenance": [1]}])
def test_what_holds_no_state_dict(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "model.pt")
    assert "no state dict" in refused(lambda: load_weights(Net(), tmp_path / "model.pt"))


def test_a_bare_state_dict_carries_its_provenance(tmp_path: Path) -> None:
    one, other, path = Net(), Net(), tmp_path / "model.pt"
    weights = one.state_dict()
    save_weights(path, weights, {"stage": 1, "spacing": (1.0, np.float64(2))})
    assert load_weights(other, path) == {"stage": 1, "spacing": [1.0, 2.0]}
    assert equal(one.state_dict(), other.state_dict())
    assert provenance_of(weights) == {}, "the state dict itself is left as it is"


def test_every_program_can_load_it(tmp_path: Path) -> None:
    """PyTorch with and without ``strict``, and ignite, which MONAI's ``ckpt_export`` and ``CheckpointLoader`` use."""
    network, path = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2)), tmp_path / "model.pt"
    save_weights(path, network.state_dict(), {"stage": 1})
    content = torch.load(path, weights_only=True)
    assert all(isinstance(value, Tensor) for value in content.values())
    assert content._metadata["1"] == {"version": 2}, "the versions of modules stay"
    for load in (
        lambda other: other.load_state_dict(content, strict=True),
        lambda other: ignite.handlers.Checkpoint.load_objects({"model": other}, content),
        lambda other: monai.networks.utils.copy_model_state(other, content),
    ):
        other = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
        load(other)
        assert equal(network.state_dict(), other.state_dict())


def test_provenance_survives_a_second_save_and_a_wrapper_and_is_lost_in_another_dict(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_weights(path, Net().state_dict(), {"stage": 1})
    content = load_checked(path)
    torch.save({"epoch": 3, "state_dict": content}, path)
    assert load_weights(Net(), path) == {"stage": 1}
    torch.save(dict(content), path)
    assert load_weights(Net(), path) == {}


def test_checkpoints_of_earlier_versions_come_back(tmp_path: Path) -> None:
    one, other = Net(), Net()
    save_checkpoint(tmp_path / "model.pt", {"model": one.state_dict(), "provenance": {"stage": 1, "spacing": [1.0]}})
    assert load_weights(other, tmp_path / "model.pt") == {"stage": 1, "spacing": [1.0]}
    assert equal(one.state_dict(), other.state_dict())
    torch.save(one.state_dict(), tmp_path / "bare.pt")
    assert load_weights(Net(), tmp_path / "bare.pt") == {}


@pytest.mark.parametrize(
    ("stage", "head", "advice"),
    [
        (
            2,
            "deep",
            "It was trained in stage 2: add configs/stage2.yaml to --config_file in training, and leave --head out",
        ),
        (
            3,
            "deep",
            "It was trained in stage 3: add configs/stage3.yaml to --config_file in training, and leave --head out",
        ),
        (1, "standard", "leave configs/stage2.yaml and configs/stage3.yaml out of --config_file"),
        (None, "deep", "Give a checkpoint of this bundle"),
    ],
)
def test_another_network_is_refused_with_advice(tmp_path: Path, stage: int | None, head: str, advice: str) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": Net(head).state_dict(), "provenance": {"stage": stage} if stage else {}})
    network = Net("standard" if head == "deep" else "deep")
    before = weights_of(network)
    told = refused(lambda: load_weights(network, path))
    assert "it belongs to another network" in told
    assert advice in told
    assert equal(before, network.state_dict())


SETTINGS = {"backbone": "resnet50", "units": (64, 64), "image_units": None, "dropout": 0.3}


@pytest.mark.parametrize(
    ("now", "here", "knobs"),
    [
        ({"backbone": "vgg16"}, "--backbone vgg16", "--backbone resnet50"),
        (
            {"backbone": "vgg16", "units": [32, 64]},
            "--backbone vgg16 --units [32,64]",
            "--backbone resnet50 --units [64,64]",
        ),
        ({"image_units": 128}, "--image_units 128", "--image_units '$None'"),
    ],
)
def test_other_settings_are_refused_with_the_knobs_to_pass(
    tmp_path: Path, now: dict[str, Any], here: str, knobs: str
) -> None:
    """Also where all shapes fit, as with another activation."""
    save_checkpoint(
        tmp_path / "a.pt", {"model": Net().state_dict(), "provenance": {"settings": plain_values(SETTINGS)}}
    )
    network = Net()
    before = weights_of(network)
    told = refused(lambda: load_weights(network, tmp_path / "a.pt", settings={**SETTINGS, **now}))
    assert f"its settings are not those of this run, {here}. It was trained with {knobs}: pass the same." in told
    assert equal(before, network.state_dict())


def test_the_order_of_channels_is_compared_where_0_1_0_recorded_it_too(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"model": Net().state_dict(), "provenance": {"modalities": ["flair", "t2"]}})
    load_weights(Net(), path, settings={"modalities": ["flair", "t2"]})
    told = refused(lambda: load_weights(Net(), path, settings={"modalities": ["t2", "flair"]}))
    assert 'It was trained with --modalities ["flair","t2"]' in told


def test_settings_that_are_alike_or_unknown_to_one_side_are_no_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"model": Net().state_dict(), "provenance": {"settings": plain_values(SETTINGS)}})
    load_weights(Net(), path, settings={**SETTINGS, "units": [64, 64], "in_clinical": 3})
    load_weights(Net(), path)
    save_checkpoint(path, {"model": Net().state_dict()})
    load_weights(Net(), path, settings=SETTINGS, bundle="any")


def test_a_checkpoint_of_another_bundle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"model": Net().state_dict(), "provenance": {"bundle": "grade", "settings": {"units": [1]}}})
    told = refused(lambda: load_weights(Net(), path, settings={"units": [2]}, bundle="survival"))
    assert in_order(told, f"{path}: ", "the bundle grade", "this is survival")
    load_weights(Net(), path, bundle="grade")


def test_plain_values_load_without_code(tmp_path: Path) -> None:
    parser = ConfigParser({"settings": {"units": [64, 64], "deep": {"names": ["a"]}}})
    mixed = {"proxy": parser.settings, "array": (np.float64(0.5), np.int64(3)), "nested": {"x": {1: (None, True)}}}
    plain = plain_values(mixed)
    assert plain == {
        "proxy": {"units": [64, 64], "deep": {"names": ["a"]}},
        "array": [0.5, 3],
        "nested": {"x": {"1": [None, True]}},
    }
    assert type(plain["proxy"]["units"]) is list and type(plain["array"][0]) is float
    save_checkpoint(tmp_path / "a.pt", plain)
    assert load_checked(tmp_path / "a.pt") == plain


def test_other_shapes_are_named_and_counted(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "model.pt", {"model": Net(width=3).state_dict()})
    told = refused(lambda: begin_stage(Net(), tmp_path / "model.pt"))
    assert in_order(told, "unet.encoder.weight", "(3, 4, 1, 1)", "(2, 4, 1, 1)", "unet.encoder.bias", "(3,)", "(2,)")
    save_checkpoint(tmp_path / "model.pt", {"model": Net("deep").state_dict()})
    assert "and 3 more" in refused(lambda: load_weights(Net(), tmp_path / "model.pt"))


def test_stage_2_takes_all_but_the_head(tmp_path: Path) -> None:
    first, second = Net(), Net("deep")
    head = weights_of(second.unet.segmentation_head)
    save_checkpoint(tmp_path / "model.pt", {"model": first.state_dict(), "provenance": {"stage": 1}})
    assert begin_stage(second, tmp_path / "model.pt") == {"stage": 1}
    assert equal(first.unet.encoder.state_dict(), second.unet.encoder.state_dict())
    assert equal(head, second.unet.segmentation_head.state_dict())


def test_stage_3_keeps_the_head_that_stage_2_has_learned(tmp_path: Path) -> None:
    second, third = Net("deep"), Net("deep")
    save_checkpoint(tmp_path / "model.pt", {"model": second.state_dict()})
    begin_stage(third, tmp_path / "model.pt")
    assert equal(second.state_dict(), third.state_dict())


def test_the_real_network_in_both_stages(tmp_path: Path) -> None:
    first, second = SegmentationUNet(), SegmentationUNet(head="deep", trainable="head")
    save_checkpoint(tmp_path / "model.pt", {"model": first.state_dict()})
    begin_stage(second, tmp_path / "model.pt")
    assert equal(first.unet.decoder.state_dict(), second.unet.decoder.state_dict())
    assert "unet.segmentation_head" in refused(lambda: load_weights(second, tmp_path / "model.pt"))


def test_no_space_left_keeps_the_old_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": {"a": torch.ones(3)}})

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"model\.pt: no space is left"):
        save_checkpoint(path, {"model": {"a": torch.zeros(3)}})
    assert load_checked(path)["model"]["a"].tolist() == [1, 1, 1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pt"]


def test_a_write_that_the_system_cuts_short_keeps_the_old_checkpoint(tmp_path: Path) -> None:
    """For real, with a limit on the size of files: torch's own writer answers it with a RuntimeError."""
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": {"a": torch.ones(3)}})
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
        with pytest.raises(OutputError, match="no space is left"):
            save_checkpoint(path, {"model": {"a": torch.zeros(1_000_000)}})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert load_checked(path)["model"]["a"].tolist() == [1, 1, 1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(("trained", "settings"), [(True, {"permute_labels": False}), (True, {}), (True, None)])
def test_who_learned_shuffled_labels_is_refused_where_true_ones_are_asked_for(
    tmp_path: Path, trained: bool, settings: dict[str, Any] | None
) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": Net().state_dict(), "provenance": {"settings": {"permute_labels": trained}}})
    told = refused(lambda: load_weights(Net(), path, settings=settings))
    assert "shuffled between patients" in told
    assert "--permute_labels true" in told
    assert load_weights(Net(), path, settings={"permute_labels": True})


def test_who_learned_true_labels_is_not_judged_on_shuffled_ones(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    save_checkpoint(path, {"model": Net().state_dict(), "provenance": {"settings": {"permute_labels": False}}})
    told = refused(lambda: load_weights(Net(), path, settings={"permute_labels": True}))
    assert "it was trained on the true labels" in told
    assert load_weights(Net(), path)


def wrapped(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": weight for name, weight in weights.items()}


@pytest.mark.parametrize("prefix", ["", "module.", "model.", "_orig_mod.", "module.model.", "_orig_mod.module."])
@pytest.mark.parametrize("key", [None, "model", "state_dict", "model_state_dict"])
def test_weights_that_another_program_wrapped_are_unwrapped(tmp_path: Path, prefix: str, key: str | None) -> None:
    trained, network = Net(), Net()
    weights = wrapped(trained.state_dict(), prefix)
    content = {key: weights, "epoch": 3, "optimizer_states": [{}]} if key else weights
    torch.save(content, tmp_path / "model.ckpt")
    assert load_weights(network, tmp_path / "model.ckpt") == {}
    assert equal(trained.state_dict(), network.state_dict())


def test_a_name_of_the_network_itself_is_no_wrapper(tmp_path: Path) -> None:
    trained, network = (nn.ModuleDict({"model": nn.Linear(2, 2)}) for _ in range(2))
    for prefix in ("", "model.", "module."):
        torch.save(wrapped(trained.state_dict(), prefix), tmp_path / "model.pt")
        load_weights(network, tmp_path / "model.pt")
        assert equal(trained.state_dict(), network.state_dict())


def test_a_wrapped_start_of_stage_2(tmp_path: Path) -> None:
    first, second = Net(), Net("deep")
    torch.save({"state_dict": wrapped(first.state_dict(), "module.")}, tmp_path / "model.pt")
    begin_stage(second, tmp_path / "model.pt")
    assert equal(first.unet.encoder.state_dict(), second.unet.encoder.state_dict())


def test_a_network_among_other_things_is_refused_with_the_cause(tmp_path: Path) -> None:
    weights = {**wrapped(Net().state_dict(), "model."), "criterion.weight": torch.ones(4)}
    torch.save({"state_dict": weights}, tmp_path / "model.ckpt")
    told = refused(lambda: load_weights(Net(), tmp_path / "model.ckpt"))
    assert in_order(told, "under 'model.'", "criterion.weight")


def test_a_bit_that_was_lost_in_the_weights(tmp_path: Path) -> None:
    # make fuzz, seed 0: checkpoint 6, 138, 150, 152; PyTorch reads other weights without a word
    network = Net()
    save_weights(tmp_path / "model.pt", network.state_dict(), {"bundle": "b"})
    data = bytearray((tmp_path / "model.pt").read_bytes())
    stored = network.unet.encoder.weight.detach().numpy().tobytes()
    data[data.find(stored) + 5] ^= 4
    (tmp_path / "model.pt").write_bytes(bytes(data))
    assert "was changed after it was written" in refused(lambda: load_weights(Net(), tmp_path / "model.pt"))


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (torch.zeros(2, dtype=torch.complex64), "(2,) of complex64, not (2,)"),  # checkpoint 85
        (torch.zeros(2).to_sparse(), "(2,) of float32, not (2,)"),  # checkpoint 31
        (torch.zeros(2, device="meta"), "(2,) of float32, not (2,)"),
        (torch.quantize_per_tensor(torch.zeros(2), 1.0, 0, torch.qint8), "(2,) of qint8, not (2,)"),  # checkpoint 106
        (torch.zeros(2, dtype=torch.int64), "(2,) of int64, not (2,)"),
        ([0.0, 0.0], "a list, not (2,)"),
    ],
)
def test_a_weight_that_is_no_plain_tensor(tmp_path: Path, odd: Any, what: str) -> None:
    torch.save({**Net().state_dict(), "unet.encoder.bias": odd}, tmp_path / "model.pt")
    assert f"unet.encoder.bias is {what}" in refused(lambda: load_weights(Net(), tmp_path / "model.pt"))


def test_weights_in_half_and_double_precision_are_taken(tmp_path: Path) -> None:
    torch.save(Net().double().state_dict(), tmp_path / "double.pt")
    torch.save(Net().half().state_dict(), tmp_path / "half.pt")
    for name in ("double.pt", "half.pt"):
        assert load_weights(Net(), tmp_path / name) == {}


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("settings", "x"),
        ("bundle", 5),
        ("classes", "LGG"),
        ("training_subjects", [1]),
        ("encoder", []),
        ("classes", 1.5),
    ],
)
def test_a_provenance_of_odd_values(tmp_path: Path, name: str, odd: Any) -> None:
    # make fuzz, seed 0: checkpoint 447
    save_weights(tmp_path / "model.pt", Net().state_dict(), {name: odd})
    told = refused(lambda: load_weights(Net(), tmp_path / "model.pt", settings={"a": 1}, bundle="b"))
    assert f"what it records of its training is damaged ({name})" in told
