"""The best weights, the last state and the early stop of a training run."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Events
from ignite.handlers import EarlyStopping
from monai.engines.workflow import Workflow
from torch import nn

from common.errors import CheckpointError, KnobError, Problem
from common.knobs import as_bool
from common.locks import release
from common.networks.weights.checkpoints import load_checked, save_checkpoint, save_weights
from common.networks.weights.provenance import read_provenance
from common.running import last_state_path

ENOUGH_TO_CHOOSE = 5
"""Validation patients; among fewer the best epoch is chosen by noise, unless a paper chose so."""

LAST = "last epoch"
LEARNING = {"initial_lr": "lr", "momentum": "momentum", "weight_decay": "weight_decay"}
SCHEDULE = {"step_size": "lr_step", "gamma": "lr_gamma"}
"""What an optimiser and a scheduler call the knobs that a resumed run must have as before."""

logger = logging.getLogger(__name__)


class TrainingState:
    """Keeps the best weights and the last state of a run, ends it when it no longer improves, and resumes it.

    Best weights go to ``weights`` as a state dict that carries its provenance. With fewer than
    :data:`ENOUGH_TO_CHOOSE` validation patients those of the last epoch do, ``patience`` ends nothing, and ``kept`` of
    the provenance says so; a paper's recipe stays as it is. The last state, with optimiser, scheduler, epoch, best
    metric and early-stop counter, is written beside it. With the random state derived from (seed, epoch) by
    :class:`EpochSeed`, a run that is resumed ends with the same weights as an uninterrupted one.

    A handler of a MONAI trainer. It resumes when the trainer starts for the first time; a trainer that runs again, as a
    federated client's does in every round, goes on with what it has.

    Args:
        evaluator: the best epoch is chosen by its key metric.
        network: whose weights are kept; a distributed wrapper is removed.
        optimizer: of the trainer.
        lr_scheduler: steps once an epoch.
        weights: path of the best weights.
        provenance: what the weights come from; must be plain values. Where its ``chosen_on``, the side that chooses
            the epoch, is the test side, the run begins with a warning. ``validation_patients`` and ``recipe`` decide
            whether the last epoch is kept.
        patience: validations without improvement before the run ends; ``None`` or 0 for never.
        resume: go on from the last state if there is one.
    """

    def __init__(
        self,
        evaluator: Workflow,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        lr_scheduler: torch.optim.lr_scheduler.LRScheduler,
        weights: str | Path,
        provenance: Mapping[str, Any],
        patience: int | None = None,
        resume: Any = False,
    ) -> None:
        self.evaluator = evaluator
        self.network = getattr(network, "module", network)
        self.optimizer, self.lr_scheduler = optimizer, lr_scheduler
        self.weights, self.last = Path(weights), last_state_path(weights)
        self.provenance = dict(provenance)
        self.best: float | None = None
        self.scores: dict[str, float] = {}
        patients = self.provenance.get("validation_patients", ENOUGH_TO_CHOOSE)
        chosen_elsewhere = self.provenance.get("recipe") == "paper" or self.provenance.get("chosen_on") == "test"
        self.keeps_last = patients < ENOUGH_TO_CHOOSE and not chosen_elsewhere
        self.patience, self.is_to_resume = None if self.keeps_last else patience, as_bool(resume, "resume")

    def attach(self, engine: Workflow) -> None:
        """Register with a trainer and with the evaluator."""
        self.trainer = engine
        self.early_stopping = EarlyStopping(self.patience, self._score_to_stop, engine) if self.patience else None
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.after_epoch)
        engine.add_event_handler(Events.COMPLETED, self.finish)
        self.evaluator.add_event_handler(Events.COMPLETED, self.after_validation)

    def start(self, engine: Workflow) -> None:
        """Restore the last state where that was asked for, once."""
        if self.provenance.get("chosen_on") == "test":
            logger.warning("The best epoch is chosen on the test side: results there will be too good. It is a leak.")
        if self.keeps_last and idist.get_rank() == 0:
            logger.warning(
                "%d validation patients, fewer than %d: the best epoch would be chosen by noise, so the weights of the "
                "last one are kept, and patience ends nothing.",
                self.provenance["validation_patients"],
                ENOUGH_TO_CHOOSE,
            )
        if self.early_stopping is not None:
            self.early_stopping.counter = 0  # a federated client's next round has its epochs too
        if self.is_to_resume and not self.last.exists():
            self._refuse_to_begin_anew()
        elif self.is_to_resume:
            self.resume()
            if engine.state.epoch >= engine.state.max_epochs:
                told = "The run has ended after epoch %d; nothing is left to do. %s"
                logger.info(told, engine.state.epoch, self.weights)
        self.is_to_resume = False

    def after_validation(self, engine: Workflow) -> None:
        """Keep the weights if they are the best so far."""
        if self.trainer.state.epoch == 0:
            return
        self._refuse_diverged()
        score = self._score(engine)
        self.scores = {engine.state.key_metric_name: score}
        is_best = self.best is None or score > self.best or (math.isnan(self.best) and not math.isnan(score))
        self.best = score if is_best else self.best
        if is_best and not self.keeps_last:
            self._keep(self.scores)
        if self.early_stopping is not None:
            self.early_stopping(engine)

    def after_epoch(self, engine: Workflow) -> None:
        """Write the state to resume from, and the weights where those of the last epoch are kept.

        Raises:
            KnobError: the weights are no numbers any more; what was written before stays.
        """
        self._refuse_diverged()
        if self.keeps_last:
            self._keep({**self.scores, "kept": LAST})
            self.scores = {}  # an epoch without validation has none
        if idist.get_rank() > 0:
            return
        state = {
            "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "lr_scheduler": self.lr_scheduler.state_dict(),
            "scaler": engine.scaler.state_dict() if engine.scaler else None,
            "early_stopping": dict(self.early_stopping.state_dict()) if self.early_stopping else None,
            "epoch": int(engine.state.epoch),
            "epoch_length": int(engine.state.epoch_length),
            "best": self.best,
            "finished": bool(engine.should_terminate),
            "provenance": self.provenance,
        }
        save_checkpoint(self.last, state)

    def _keep(self, facts: Mapping[str, Any]) -> None:
        if idist.get_rank() == 0:
            told = {**self.provenance, "epoch": int(self.trainer.state.epoch), **facts}
            save_weights(self.weights, self.network.state_dict(), told)

    def _refuse_diverged(self) -> None:
        values = (value for value in self.network.state_dict().values() if value.is_floating_point())
        if not all(bool(torch.isfinite(value).all()) for value in values):
            what = f"training has diverged: in epoch {self.trainer.state.epoch} weights became infinite or no numbers"
            raise KnobError(Problem(what, "--lr", "Lower it, or compute in full precision with --amp false."))

    def _refuse_to_begin_anew(self) -> None:
        """Weights without a state are those of a first epoch that was broken off; any others would be written over."""
        if self.weights.exists() and read_provenance(self.weights).get("epoch") != 1:
            what = f"the state to resume from is not there, and {self.weights.name} of an earlier run is"
            hint = "Put it back; or continue from these weights with --init_weights, in another folder."
            raise CheckpointError(Problem(what, str(self.last), hint))

    def finish(self, _: Workflow) -> None:
        """Let other runs write where this one did."""
        release(self.weights)

    def resume(self) -> None:
        """Restore the state after the last whole epoch.

        Raises:
            CheckpointError: the state is damaged, or is that of a run with other settings.
        """
        state = load_checked(self.last)
        self._check_same_run(state)
        self._check_same_learning(state)
        self.network.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.lr_scheduler.load_state_dict(state["lr_scheduler"])
        if state["scaler"] and self.trainer.scaler:
            self.trainer.scaler.load_state_dict(state["scaler"])
        if state["early_stopping"] and self.early_stopping:
            self.early_stopping.load_state_dict(state["early_stopping"])
        self.best = state["best"]
        self.trainer.state.epoch = state["epoch"]
        self.trainer.state.iteration = state["epoch"] * state["epoch_length"]
        if state["finished"]:
            self.trainer.state.max_epochs = state["epoch"]
        logger.info("Resuming after epoch %d of %d from %s", state["epoch"], self.trainer.state.max_epochs, self.last)

    def _check_same_run(self, state: Mapping[str, Any]) -> None:
        if "optimizer" not in state:
            hint = "Start a new run in another folder, or continue from these weights with --init_weights."
            raise CheckpointError(Problem("it holds no state to resume from", str(self.last), hint))
        found = state.get("provenance", {})
        differing = [key for key, value in self.provenance.items() if found.get(key) != value]
        if differing:
            what = f"the run to resume differs in {', '.join(differing)}"
            hint = "Resume with the same settings, or start a new run in another folder."
            raise CheckpointError(Problem(what, str(self.last), hint))

    def _check_same_learning(self, state: Mapping[str, Any]) -> None:
        """Refuse knobs that the optimiser and the scheduler of the state would undo."""
        group, before = self.optimizer.param_groups[0], state["optimizer"]["param_groups"][0]
        now, then = self.lr_scheduler.state_dict(), state["lr_scheduler"]
        given = {knob: (group.get(name), before.get(name)) for name, knob in LEARNING.items()}
        given |= {knob: (now.get(name), then.get(name)) for name, knob in SCHEDULE.items()}
        problems = [
            Problem(
                f"the run to resume has {old}, this one {new}", f"--{knob}", "Give the value of before, or begin anew."
            )
            for knob, (new, old) in given.items()
            if new != old
        ]
        if problems:
            raise CheckpointError(problems)

    def _score_to_stop(self, engine: Workflow) -> float:
        score = self._score(engine)
        return -math.inf if math.isnan(score) else score

    def _score(self, _: Workflow) -> float:
        return float(self.evaluator.state.metrics[self.evaluator.state.key_metric_name])
