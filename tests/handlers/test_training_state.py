from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines.workflow import Workflow

from common.errors import CheckpointError, KnobError
from common.handlers import TrainingState
from common.networks import provenance_of

pytestmark = pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")


class Run:
    """A trainer of one step an epoch, which adds 1 to a weight, and an evaluator with given scores."""

    def __init__(
        self,
        folder: Path,
        scores: list[float],
        patience: int = 0,
        resume: bool = False,
        lr: float = 0.1,
        gamma: float = 0.5,
        **provenance: Any,
    ) -> None:
        self.network = torch.nn.Linear(1, 1, bias=False).requires_grad_(False)
        torch.nn.init.zeros_(self.network.weight)
        optimizer = torch.optim.SGD(self.network.parameters(), lr=lr)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma)
        self.trainer, self.evaluator = engine(self.learn, epochs=len(scores)), engine(lambda *_: None, epochs=1)
        self.evaluator.state.key_metric_name = "dice"
        self.scores = scores

        @self.trainer.on(Events.EPOCH_COMPLETED)
        def validate(trainer: Any) -> None:
            scheduler.step()
            self.evaluator.state.metrics["dice"] = scores[trainer.state.epoch - 1]
            self.evaluator.fire_event(Events.COMPLETED)

        self.state = TrainingState(
            self.evaluator,
            self.network,
            optimizer,
            scheduler,
            folder / "model.pt",
            {"bundle": "x", "stage": 1, "version": "0.1.0", **provenance},
            patience,
            resume,
        )
        self.state.attach(self.trainer)

    def learn(self, *_: Any) -> None:
        self.network.weight += 1


def engine(step: Callable[..., None], epochs: int) -> Any:
    class Engine(Workflow):
        def _iteration(self, *args: Any) -> None:  # type: ignore[override]
            step(*args)

    return Engine(device="cpu", max_epochs=epochs, data_loader=[0])


def best(folder: Path) -> tuple[float, int, float]:
    """Weight, epoch and score of the best checkpoint."""
    content = torch.load(folder / "model.pt", weights_only=True)
    provenance = provenance_of(content)
    return float(content["weight"]), provenance["epoch"], provenance["dice"]


def test_the_best_epoch_is_kept_and_the_last_one_beside_it(tmp_path: Path) -> None:
    Run(tmp_path, [0.2, 0.5, 0.4]).trainer.run()
    assert best(tmp_path) == (2, 2, 0.5)
    last = torch.load(tmp_path / "model_last.pt", weights_only=True)
    assert float(last["model"]["weight"]) == 3
    assert (last["epoch"], last["best"], last["finished"]) == (3, 0.5, False)


@pytest.mark.parametrize(("scores", "kept"), [([math.nan, 0.1, 0.5, 0.3], 3), ([0.1, math.nan, 0.05, 0.3], 4)])
def test_a_score_that_is_no_number_is_never_the_best(tmp_path: Path, scores: list[float], kept: int) -> None:
    Run(tmp_path, scores).trainer.run()
    assert best(tmp_path)[1] == kept


@pytest.mark.parametrize(
    ("scores", "epochs"),
    [([0.9, *[math.nan] * 9], 4), ([0.9, 0.5, 0.4, math.nan, *[0.45] * 9], 4), ([math.nan] * 9, 4)],
)
def test_scores_that_are_no_numbers_are_no_improvement(tmp_path: Path, scores: list[float], epochs: int) -> None:
    run = Run(tmp_path, scores, patience=3)
    run.trainer.run()
    assert run.trainer.state.epoch == epochs


def test_a_run_that_diverges_ends_and_keeps_what_was_good(tmp_path: Path) -> None:
    class Diverging(Run):
        def learn(self, *_: Any) -> None:
            self.network.weight += math.inf if self.trainer.state.epoch == 3 else 1

    with pytest.raises(KnobError, match="in epoch 3 weights became infinite"):
        Diverging(tmp_path, [0.1, 0.2, math.nan, math.nan]).trainer.run()
    assert best(tmp_path) == (2, 2, 0.2)
    assert torch.load(tmp_path / "model_last.pt", weights_only=True)["epoch"] == 2


def test_resuming_without_the_state_does_not_write_over_weights(tmp_path: Path) -> None:
    Run(tmp_path, [0.1, 0.9, 0.3]).trainer.run()
    (tmp_path / "model_last.pt").unlink()
    with pytest.raises(CheckpointError, match="the state to resume from is not there"):
        Run(tmp_path, [0.1, 0.9, 0.3], resume=True).trainer.run()
    assert best(tmp_path) == (2, 2, 0.9)


def test_a_first_epoch_that_was_broken_off_begins_anew(tmp_path: Path) -> None:
    Run(tmp_path, [0.9]).trainer.run()
    (tmp_path / "model_last.pt").unlink()
    Run(tmp_path, [0.1, 0.3], resume=True).trainer.run()
    assert best(tmp_path) == (2, 2, 0.3)


def test_another_learning_rate_is_not_taken_over_in_silence(tmp_path: Path) -> None:
    Run(tmp_path, [0.1]).trainer.run()
    with pytest.raises(CheckpointError) as caught:
        Run(tmp_path, [0.1, 0.2], resume=True, lr=0.5, gamma=0.9).trainer.run()
    assert [str(problem.where) for problem in caught.value.problems] == ["--lr", "--lr_gamma"]


def test_every_round_of_a_federated_client_has_its_epochs(tmp_path: Path) -> None:
    run = Run(tmp_path, [0.9, *[0.1] * 20], patience=3)
    rounds = []
    for _ in range(3):
        begun = run.trainer.state.epoch
        run.trainer.state.max_epochs = begun + 3
        run.trainer.run()
        rounds.append(run.trainer.state.epoch - begun)
    assert rounds == [3, 3, 3]


def test_after_resuming_a_worse_epoch_does_not_replace_the_best(tmp_path: Path) -> None:
    Run(tmp_path, [0.2, 0.5]).trainer.run()
    resumed = Run(tmp_path, [0.2, 0.5, 0.4, 0.3], resume=True)
    resumed.trainer.run()
    assert float(resumed.network.weight) == 4
    assert best(tmp_path) == (2, 2, 0.5)
    Run(tmp_path, [0.2, 0.5, 0.4, 0.3, 0.9], resume=True).trainer.run()
    assert best(tmp_path) == (5, 5, 0.9)


def test_optimiser_and_scheduler_are_put_back(tmp_path: Path) -> None:
    Run(tmp_path, [0.2, 0.5]).trainer.run()
    resumed = Run(tmp_path, [0.2, 0.5, 0.6], resume=True)
    resumed.trainer.fire_event(Events.STARTED)
    assert resumed.state.optimizer.param_groups[0]["lr"] == 0.025
    assert resumed.trainer.state.epoch == 2
    assert resumed.trainer.state.iteration == 2


def test_a_run_ends_when_it_no_longer_improves_and_counts_on_after_resuming(tmp_path: Path) -> None:
    scores = [0.5, 0.4, 0.4, 0.4, 0.4]
    unbroken = Run(tmp_path / "one", scores, patience=2)
    unbroken.trainer.run()
    assert unbroken.trainer.state.epoch == 3
    Run(tmp_path / "two", scores[:2], patience=2).trainer.run()
    resumed = Run(tmp_path / "two", scores, patience=2, resume=True)
    resumed.trainer.run()
    assert resumed.trainer.state.epoch == 3


def test_a_run_that_has_ended_is_not_trained_further(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scores = [0.5, 0.4, 0.4, 0.4]
    Run(tmp_path, scores, patience=1).trainer.run()
    resumed = Run(tmp_path, scores, patience=1, resume=True)
    with caplog.at_level("INFO", logger="common"):
        resumed.trainer.run()
    assert float(resumed.network.weight) == 2
    assert "The run has ended after epoch 2; nothing is left to do." in caplog.text


def test_resuming_without_an_earlier_run_starts_at_the_beginning(tmp_path: Path) -> None:
    Run(tmp_path, [0.1], resume=True).trainer.run()
    assert best(tmp_path) == (1, 1, 0.1)


def test_validation_before_training_leaves_no_weights(tmp_path: Path) -> None:
    run = Run(tmp_path, [0.1])
    run.evaluator.state.metrics["dice"] = 0.9
    run.evaluator.fire_event(Events.COMPLETED)
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    Run(tmp_path, [0.1]).trainer.run()
    last = tmp_path / "model_last.pt"
    last.write_bytes(last.read_bytes()[:500])
    with pytest.raises(CheckpointError, match=r"model_last\.pt: it cannot be read|it is no checkpoint"):
        Run(tmp_path, [0.1, 0.2], resume=True).trainer.run()


def test_weights_alone_are_no_state_to_resume_from(tmp_path: Path) -> None:
    Run(tmp_path, [0.1]).trainer.run()
    (tmp_path / "model.pt").replace(tmp_path / "model_last.pt")
    with pytest.raises(CheckpointError, match=r"model_last\.pt: it holds no state to resume from"):
        Run(tmp_path, [0.1, 0.2], resume=True).trainer.run()


@pytest.mark.parametrize(("name", "value"), [("stage", 2), ("version", "0.2.0")])
def test_a_run_with_other_settings_or_of_another_version_is_not_resumed(tmp_path: Path, name: str, value: Any) -> None:
    Run(tmp_path, [0.1]).trainer.run()
    with pytest.raises(CheckpointError, match=f"differs in {name}"):
        Run(tmp_path, [0.1, 0.2], resume=True, **{name: value}).trainer.run()


def test_a_trainer_that_runs_again_goes_on_with_what_it_has(tmp_path: Path) -> None:
    """As a federated client's does, whose weights the server replaces between rounds."""
    Run(tmp_path, [0.2]).trainer.run()
    client = Run(tmp_path, [0.2, 0.5, 0.6], resume=True)
    client.trainer.state.max_epochs = 2
    client.trainer.run()
    client.network.weight.fill_(10)
    client.trainer.state.max_epochs = 3
    client.trainer.run()
    assert best(tmp_path) == (11, 3, 0.6)


def test_too_few_validation_patients_choose_no_epoch(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of four patients the second epoch looks best, and after two worse ones the run would stop: both are noise."""
    Run(tmp_path, [0.2, 0.5, 0.4, 0.3, 0.2], patience=2, validation_patients=4, recipe="ours").trainer.run()
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    kept = provenance_of(content)
    assert (float(content["weight"]), kept["epoch"], kept["dice"], kept["kept"]) == (5, 5, 0.2, "last epoch")
    assert "4 validation patients, fewer than 5" in caplog.text


def test_where_the_last_epoch_is_kept_a_resumed_run_keeps_it_as_well(tmp_path: Path) -> None:
    Run(tmp_path, [0.2, 0.5], validation_patients=1).trainer.run()
    Run(tmp_path, [0.2, 0.5, 0.4], resume=True, validation_patients=1).trainer.run()
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    assert (float(content["weight"]), provenance_of(content)["epoch"]) == (3, 3)


@pytest.mark.parametrize("facts", [{"validation_patients": 5}, {"validation_patients": 1, "recipe": "paper"}])
def test_enough_patients_or_a_paper_choose_the_best_epoch(tmp_path: Path, facts: dict[str, Any]) -> None:
    Run(tmp_path, [0.2, 0.5, 0.4, 0.3], patience=1, **facts).trainer.run()
    assert best(tmp_path) == (2, 2, 0.5)
    assert "kept" not in provenance_of(torch.load(tmp_path / "model.pt", weights_only=True))
