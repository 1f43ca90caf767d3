"""Weights to judge and their provenance, which are read when an evaluation starts and not before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Events
from monai.engines.workflow import Workflow
from torch import nn

from common.networks.weights.ensemble import weight_files
from common.networks.weights.provenance import are_there, load_for_evaluation, read_provenance
from common.splits.evaluations import hash_weights
from common.splits.manifest import SplitManifest


class JudgedWeights(Mapping[str, Any]):
    """The provenance of the weights that are judged, by name.

    Until :meth:`load`, and where another program brings the weights as a federated client does, it is what weights of
    this run record.

    Args:
        network: takes the weights.
        weights: the checkpoint, or one for each member of an ensemble.
        split: of the run.
        side: ``test``, ``validation`` or ``train``.
        allow_trained_on: also judge patients that the weights were trained on.
        settings: knobs of the network that must be those of the checkpoint.
        bundle: the only bundle that the checkpoint may come from.
        own: provenance of weights of this run; its ``recipe`` must be that of the checkpoint.
    """

    def __init__(
        self,
        network: nn.Module,
        weights: str | Path | Sequence[str | Path],
        split: SplitManifest,
        side: str = "test",
        allow_trained_on: bool | str = False,
        settings: Mapping[str, Any] | None = None,
        bundle: str | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:
        self._provenance = dict(own or {})
        recipe = self._provenance.get("recipe")
        self._load = (network, weights, split, side, allow_trained_on, settings, bundle, recipe)
        self.hash: str | None = None
        """Of the checkpoints, once they are loaded."""

    @property
    def files(self) -> str:
        """The checkpoints, for messages."""
        return ", ".join(map(str, weight_files(self._load[1])))

    def load(self) -> None:
        """Load the weights, with the checks of :func:`load_for_evaluation`."""
        self._provenance = load_for_evaluation(*self._load)
        self.hash = hash_weights(weight_files(self._load[1]))

    def __getitem__(self, name: str) -> Any:
        return self._provenance[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._provenance)

    def __len__(self) -> int:
        return len(self._provenance)


class CheckpointLoader:
    """A handler that loads the weights to judge before the first sample of an evaluation.

    It has the name of MONAI's own: ``MonaiAlgo`` switches off the handlers of an evaluator that are called so, since
    the weights that a federated client evaluates come from the server.

    Args:
        judged: which weights, and on which side of which split.
    """

    def __init__(self, judged: JudgedWeights) -> None:
        self.judged = judged

    def attach(self, engine: Workflow) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.STARTED, lambda _: self.judged.load())


def read_fitted(weights: str | Path | Sequence[str | Path]) -> dict[str, Any]:
    """What was fitted in training, such as clinical ranges, where the weights to judge are there already.

    Returns:
        Their provenance; empty where there are none yet, as in a federated client before its first round: what was
        fitted is then fitted on this run's training side. An evaluation of weights that are missing does not start.

    Raises:
        CheckpointError: they cannot be read.
    """
    return read_provenance(weights) if are_there(weights) else {}
