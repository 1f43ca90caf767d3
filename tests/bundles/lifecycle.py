"""Shared by the tests of the bundles: interrupt a run, compare two runs, read a checkpoint, catch our error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events

from common.errors import find_glioma_error
from common.networks import provenance_of


class Interruption(Exception):
    """Ends a run in the middle of an epoch."""


def load(path: Path) -> dict[str, Any]:
    """The weights and the provenance of a checkpoint, or the state to resume from."""
    content = torch.load(path, weights_only=True)
    return content if "optimizer" in content else {"model": content, "provenance": provenance_of(content)}


def refused(opened: Any, *call: Any, **settings: Any) -> Exception:
    """The error of ours that opening or running ends in."""
    with pytest.raises(Exception) as caught:
        opened(*call, **settings).run()
    error = find_glioma_error(caught.value)
    assert error is not None, caught.value
    return error


def interrupt(workflow: Any, step: int) -> None:
    """Run until a step of training is done, and no further."""

    def cut(_: Any) -> None:
        raise Interruption

    workflow.trainer.add_event_handler(Events.ITERATION_COMPLETED(once=step), cut)
    with pytest.raises(RuntimeError, match="trainer"):
        workflow.run()


def assert_same_runs(unbroken: Path, resumed: Path, names: Sequence[str] = ("model.pt", "model_last.pt")) -> None:
    """Both folders hold the same weights, of the same origin, after two epochs."""
    for name in names:
        one, other = load(unbroken / "models" / name), load(resumed / "models" / name)
        assert one["provenance"] == other["provenance"]
        assert one["model"].keys() == other["model"].keys()
        assert all(torch.equal(weight, other["model"][key]) for key, weight in one["model"].items())
    assert one["epoch"] == other["epoch"] == 2
