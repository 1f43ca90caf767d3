"""Checkpoints: bare state dicts with their provenance, as this suite and other programs save them."""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.mutations import cut, flip, is_zip, odd_value, on_file, scramble

BUNDLE, SETTINGS = "a_bundle", {"image_size": [64, 64], "backbone": "test_resnet"}


def make_network() -> nn.Module:
    return nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


@dataclass
class Checkpoint:
    """What was written.

    Args:
        path: the file.
        weights: its state dict.
        provenance: what it says of its training.
    """

    path: Path
    weights: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def value(self) -> dict[str, Any]:
        numbers = {key: weight.float().numpy() for key, weight in self.weights.items()}
        return {"weights": numbers, "provenance": self.provenance}

    def save(self) -> None:
        from common.networks.weights.checkpoints import save_weights

        save_weights(self.path, self.weights, self.provenance)


def write(folder: Path, draw: Draw) -> Checkpoint:
    torch.manual_seed(int(draw.integers(2**31)))
    weights = {
        key: torch.randn(weight.shape) if weight.is_floating_point() else weight
        for key, weight in make_network().state_dict().items()
    }
    about = {"bundle": BUNDLE, "protocol": "patient", "settings": SETTINGS, "training_subjects": ["a" * 16, "b" * 16]}
    made = Checkpoint(folder / "model.pt", weights, {**about, "classes": ["LGG", "HGG"], "encoder": {"features": []}})
    made.save()
    return made


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As evaluation and inference do."""
    from common.networks.weights.provenance import load_for_evaluation, load_for_inference, read_provenance
    from common.splits.manifest import SplitManifest

    path = folder / "model.pt"
    network = make_network()
    read_provenance(path)
    load_for_inference(network, path, SETTINGS, BUNDLE, assumed={"classes": ["LGG", "HGG"]})
    split = SplitManifest({"train": ("A",), "validation": (), "test": ("B",)}, "hash")
    provenance = load_for_evaluation(network, path, split, "test", True, SETTINGS, BUNDLE)
    weights = {key: weight.numpy() for key, weight in network.state_dict().items()}
    return {"weights": weights, "provenance": provenance}


def has_header(folder: Path) -> bool:
    return is_zip(folder / "model.pt") or (folder / "model.pt").read_bytes()[:1] == b"\x80"


def as_others_save(folder: Path, made: Checkpoint, draw: Draw) -> Truth:
    """Wrapped, with prefixes, in the format before 1.6, in double precision: the same weights."""
    weights: Any = OrderedDict(made.weights)
    prefix = ("", "module.", "_orig_mod.", "model.")[draw.integers(4)]
    weights = {prefix + key: weight for key, weight in weights.items()}
    if draw.integers(3) == 0:
        weights = {key: weight.double() if weight.is_floating_point() else weight for key, weight in weights.items()}
    key = (None, "model", "state_dict", "model_state_dict")[draw.integers(4)]
    content = {key: weights, "epoch": 3, "provenance": made.provenance} if key else weights
    torch.save(content, made.path, _use_new_zipfile_serialization=bool(draw.integers(3)))
    return must_be({**made.value, "provenance": made.provenance if key else {}})


def repacked(folder: Path, made: Checkpoint, draw: Draw) -> Truth:
    """The zip of a checkpoint with times, comments and another order; compressed ones torch does not read."""
    with zipfile.ZipFile(made.path) as source:
        files = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(made.path, "w") as target:
        for place in draw.permutation(len(files)):
            target.writestr(*files[int(place)])
        target.comment = draw.bytes(int(draw.integers(0, 50)))
    return must_be_or_refused(made.value)


def of_another(folder: Path, made: Checkpoint, draw: Draw) -> Truth:
    """Of another bundle, with other settings, of another network, or with objects in it."""
    what = int(draw.integers(7))
    name = list(made.weights)[int(draw.integers(len(made.weights)))]
    if what == 0:
        made.provenance["bundle"] = "another_bundle"
    elif what == 1:
        made.provenance["settings"] = {**SETTINGS, "image_size": [128, 128]}
    elif what == 2:
        del made.weights[name]
    elif what == 3:
        made.weights["more"] = torch.zeros(3)
    elif what == 4:
        made.weights[name] = torch.zeros(7, 7)
    elif what == 5:
        made.provenance["protocol"] = "paper"
    if what < 6:
        made.save()
    else:
        made.path.write_bytes(pickle.dumps({"model": Path("x")}))
    return MUST_BE_REFUSED


def odd_weights(folder: Path, made: Checkpoint, draw: Draw) -> Truth:
    """Values that are no tensors, tensors of odd kinds, odd provenance, odd containers."""
    name = list(made.weights)[int(draw.integers(len(made.weights)))]
    shape = made.weights[name].shape
    tensors = (
        torch.full(shape, float("nan")),
        torch.zeros(shape, dtype=torch.complex64),
        torch.zeros(shape, dtype=torch.bool),
        torch.zeros(shape, dtype=torch.bfloat16),
        torch.zeros(shape).to_sparse() if shape else torch.zeros(shape),
        torch.zeros(shape, device="meta"),
        torch.zeros(2**20).expand(64, 2**20) if draw.integers(2) else torch.zeros(()).expand(shape),
        torch.quantize_per_tensor(torch.zeros(shape), 1.0, 0, torch.qint8),
    )
    what = int(draw.integers(6))
    if what == 0:
        made.weights[name] = odd_value(draw)
    elif what <= 2:
        made.weights[name] = tensors[draw.integers(len(tensors))]
    elif what == 3:
        key = list(made.provenance)[int(draw.integers(len(made.provenance)))]
        made.provenance[key] = odd_value(draw)
    if what < 4:
        made.save()
        return ANYTHING
    content: Any = [made.weights, {"model": made.weights}, {"model": {"model": odd_value(draw)}}, odd_value(draw)]
    provenance = odd_value(draw)
    wrapped = {"model": made.weights, "provenance": provenance}
    torch.save(wrapped if what == 4 else content[draw.integers(4)], made.path)
    return ANYTHING


def sealed_pickle(folder: Path, made: Checkpoint, draw: Draw) -> Truth:
    """Changed bytes of the pickle in a zip whose checksums fit."""
    with zipfile.ZipFile(made.path) as source:
        files = [(info.filename, source.read(info)) for info in source.infolist()]
    change = (flip, scramble, cut)[draw.integers(3)]
    with zipfile.ZipFile(made.path, "w") as target:
        for name, content in files:
            target.writestr(
                name, change(content, draw) if name.endswith(("data.pkl", "byteorder", "version")) else content
            )
    return ANYTHING


def the_file(folder: Path, made: Checkpoint, draw: Draw) -> Path:
    return made.path


def value_or_refusal(made: Checkpoint) -> Truth:
    """The zip has checksums of all its files."""
    return must_be_or_refused(made.value)


MUTATIONS = (
    Mutation("nothing", lambda folder, made, draw: must_be(made.value)),
    Mutation("as others save it", as_others_save, 4.0),
    Mutation("repacked", repacked),
    Mutation("of another", of_another, 3.0),
    Mutation("odd weights", odd_weights, 4.0),
    Mutation("sealed pickle", sealed_pickle, 4.0),
    Mutation("file: bytes flip", on_file(the_file, flip, value_or_refusal), 5.0),
    Mutation("file: bytes scramble", on_file(the_file, scramble, value_or_refusal), 2.0),
    Mutation("file: bytes cut", on_file(the_file, cut, value_or_refusal)),
)

READERS = (Reader("checkpoint", write, MUTATIONS, has_header, read),)
