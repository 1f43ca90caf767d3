"""Several networks as one: probabilities are averaged, and what one of them may not, none may."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from common.errors import CheckpointError, KnobError, SplitLeakageError
from common.networks.weights.checkpoints import save_weights
from common.networks.weights.ensemble import Ensemble, ensemble_of, unite, weight_files
from common.networks.weights.provenance import (
    describe_provenance,
    load_for_evaluation,
    load_for_inference,
    mask_classes_of,
    read_provenance,
)
from common.splits.guard import hash_subject
from common.splits.manifest import SplitManifest

Make = Callable[..., Path]


def split(train: str, validation: str = "", test: str = "") -> SplitManifest:
    return SplitManifest({"train": tuple(train), "validation": tuple(validation), "test": tuple(test)}, "cohort")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes the weights of a network of two classes that gives the same logits whatever it sees."""

    def write(name: str, bias: tuple[float, float], train: str = "A", epoch: int = 1, **recorded: Any) -> Path:
        network = nn.Linear(2, 2)
        network.load_state_dict({"weight": torch.zeros(2, 2), "bias": torch.tensor(bias)})
        given = {"classes": ["LGG", "HGG"], "class_shares": {"LGG": 0.25, "HGG": 0.75}, **recorded}
        provenance = describe_provenance("bundle", split(train), **given)
        save_weights(tmp_path / name, network.state_dict(), {**provenance, "epoch": epoch, "val_score": float(epoch)})
        return tmp_path / name

    return write


class Voxelwise(nn.Module):
    """Gives the same logits everywhere, (batch, 2, x, y)."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, image: torch.Tensor, clinical: torch.Tensor | None = None) -> torch.Tensor:
        return self.logits.view(1, 2, 1, 1) + 0 * image[:, :2] + (0 if clinical is None else clinical.sum())


def test_probabilities_are_averaged_and_not_logits() -> None:
    """Odds 1:1 and 9:1 are .5 and .9, mean .7; the mean of the logits would give odds 3:1, .75."""
    ensemble = Ensemble([Voxelwise(0.0, 0.0), Voxelwise(0.0, float(torch.tensor(9.0).log()))])
    found = ensemble(torch.ones(1, 2, 3, 4), clinical=torch.ones(1, 1)).softmax(dim=1)
    assert found.shape == (1, 2, 3, 4)
    torch.testing.assert_close(found[0, :, 2, 3], torch.tensor([0.3, 0.7]))


@pytest.mark.parametrize(
    "given",
    ["a.pt,b/c.pt", "[a.pt, b/c.pt]", "['a.pt','b/c.pt']", ["a.pt", "b/c.pt"], ("a.pt", Path("b/c.pt"))],
)
def test_several_checkpoints_may_be_written_in_any_way(given: Any) -> None:
    assert weight_files(given) == (Path("a.pt"), Path("b/c.pt"))


def test_one_checkpoint_is_no_ensemble(tmp_path: Path) -> None:
    odd = tmp_path / "a,b.pt"
    odd.touch()
    network = nn.Linear(1, 1)
    for single in ("a.pt", Path("a.pt"), str(odd), [str(odd)]):
        assert ensemble_of(network, single) is network


def test_the_mean_of_two_checkpoints(make: Make) -> None:
    paths = f"{make('a.pt', (0.0, 0.0), 'AB', 3)},{make('b.pt', (0.0, 2.197225), 'BC', 5)}"
    network = ensemble_of(nn.Linear(2, 2), paths)
    found = load_for_inference(network, paths)
    torch.testing.assert_close(network(torch.ones(1, 2)).softmax(dim=1), torch.tensor([[0.3, 0.7]]))
    assert (found["members"], found["epoch"]) == (2, [3, 5])
    assert found["training_subjects"] == sorted(map(hash_subject, "ABC"))
    assert "val_score" not in found
    assert read_provenance(paths) == found
    assert mask_classes_of(paths) == ("LGG", "HGG")


def test_no_member_may_have_seen_a_judged_patient(make: Make) -> None:
    paths = [make("a.pt", (0.0, 0.0), "AB"), make("b.pt", (0.0, 1.0), "CD")]
    network = ensemble_of(nn.Linear(2, 2), paths)
    assert load_for_evaluation(network, paths, split("A", "B", "E"))["members"] == 2
    with pytest.raises(SplitLeakageError, match="learned from patients to evaluate on: D") as caught:
        load_for_evaluation(network, paths, split("A", "B", "DE"))
    assert "b.pt" in str(caught.value)
    load_for_evaluation(network, paths, split("A", "B", "DE"), allow_trained_on=True)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"classes": ["HGG", "LGG"]}, "differs from .*a.pt in classes"),
        ({"spacing": [1.0, 1.0]}, "in spacing"),
        (
            {"encoder": {"age_range": [20, 60]}},
            "in encoder, .* Train all of them on one split",
        ),
        ({"settings": {"image_size": [64, 64]}}, "in settings"),
    ],
)
def test_networks_that_were_not_trained_alike_are_refused(make: Make, other: dict[str, Any], told: str) -> None:
    paths = [make("a.pt", (0.0, 0.0)), make("b.pt", (0.0, 1.0), **other)]
    with pytest.raises(CheckpointError, match=told):
        load_for_inference(ensemble_of(nn.Linear(2, 2), paths), paths)


def test_a_checkpoint_that_is_named_twice_is_refused(make: Make) -> None:
    path = make("a.pt", (0.0, 0.0))
    with pytest.raises(CheckpointError, match="named twice"):
        ensemble_of(nn.Linear(2, 2), [path, path])


def test_one_that_is_missing_is_named(make: Make, tmp_path: Path) -> None:
    paths = [make("a.pt", (0.0, 0.0)), tmp_path / "absent.pt"]
    with pytest.raises(CheckpointError, match=r"absent\.pt: the checkpoint does not exist"):
        load_for_inference(ensemble_of(nn.Linear(2, 2), paths), paths)


def test_what_differs_with_the_patients_is_averaged() -> None:
    one = {"median_days": [100.0, 300.0], "class_shares": {"LGG": 0.2, "HGG": 0.8}}
    other = {"median_days": [200.0, 500.0], "class_shares": {"LGG": 0.4, "HGG": 0.6}}
    found = unite({Path("a"): one, Path("b"): other})
    assert found["median_days"] == [150, 400]
    assert found["class_shares"] == {"LGG": pytest.approx(0.3), "HGG": pytest.approx(0.7)}
    with pytest.raises(CheckpointError, match="in median_days"):
        unite({Path("a"): one, Path("b"): {"class_shares": other["class_shares"]}})


def test_weights_that_record_nothing_are_averaged_with_their_like(tmp_path: Path) -> None:
    assert unite({Path("a"): {}, Path("b"): {}}) == {}
    with pytest.raises(CheckpointError, match="in classes"):
        unite({Path("a"): {"classes": ["LGG"]}, Path("b"): {}})


@pytest.mark.parametrize("names", ["a.pt", "a.pt,b.pt"])
def test_a_temperature_divides_the_logits_of_one_network_and_of_several(names: str) -> None:
    """Odds 9:1 become 3:1."""
    image = torch.zeros(1, 3, 1, 1)
    plain = ensemble_of(Voxelwise(0, torch.tensor(9.0).log().item()), names)(image).softmax(dim=1)
    divided = ensemble_of(Voxelwise(0, torch.tensor(9.0).log().item()), names, 2.0)(image).softmax(dim=1)
    assert plain.flatten().tolist() == pytest.approx([0.1, 0.9])
    assert divided.flatten().tolist() == pytest.approx([0.25, 0.75])


@pytest.mark.parametrize("temperature", [0, -1, float("nan"), float("inf"), "warm", None, True])
def test_what_is_no_temperature(temperature: Any) -> None:
    with pytest.raises(KnobError, match="--temperature"):
        ensemble_of(Voxelwise(0.0, 1.0), "a.pt", temperature)
