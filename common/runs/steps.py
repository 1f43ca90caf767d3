"""A run as commands of ``monai.bundle``, in their order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.commands import bundle_command, config_files, shown

OF_TRAINING = ("pretrained",)
"""Knobs that an evaluation has no use for: the checkpoint brings all weights."""


def paper_overlay(config: str) -> str:
    """The overlay with the paper's recipe of a training config: ``paper_masks`` of ``train_masks``."""
    return config.replace("train", "paper", 1)


@dataclass(frozen=True)
class Step:
    """One command: a training or an evaluation.

    Args:
        run_id: ``training`` or ``evaluating``.
        bundle: its folder.
        configs: names of its configs, in the order in which they are merged.
        settings: knobs and their values.
        device: where to compute, if the bundle is not to choose.
    """

    run_id: str
    bundle: Path
    configs: tuple[str, ...]
    settings: Mapping[str, Any]
    device: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths of its configs.

        Returns:
            In the order in which they are merged.
        """
        return config_files(self.bundle, self.configs)

    def command(self, resume: bool = False) -> list[str]:
        """What follows ``python``."""
        more = {**({"device": self.device} if self.device else {}), **({"resume": True} if resume else {})}
        return bundle_command(self.bundle, self.run_id, self.configs, {**self.settings, **more})


@dataclass(frozen=True)
class Run:
    """A network that is trained and judged.

    Args:
        name: as its folder below the output.
        folder: where everything goes; the run is done when ``metrics.json`` is there.
        steps: the commands.
    """

    name: str
    folder: Path
    steps: tuple[Step, ...]

    @property
    def commands(self) -> list[str]:
        """Its commands as a person types them, in their order."""
        return [shlex.join(shown(step.command())) for step in self.steps]
