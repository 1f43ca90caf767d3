"""A bundle trained on phantoms by this repository, its package, and what ``evaluating`` and ``inferring`` say here."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.commands import ROOT, bundle_command
from common.packaging.consumers.agreement import Wrong
from common.packaging.consumers.environment import BareEnvironment, last_lines
from common.packaging.consumers.trials import Trial
from common.packaging.package import Package, make_package


@dataclass(frozen=True)
class Workplace:
    """Where a bundle is tried.

    Args:
        trial: of the bundle.
        folder: for all that is written.
        bare: the environment without this project.
        root: a copy of the bundle, trained.
        package: of that.
    """

    trial: Trial
    folder: Path
    bare: BareEnvironment
    root: Path
    package: Package

    @property
    def judged(self) -> Path:
        """What this repository's ``evaluating`` says."""
        return self.root / "eval"

    @property
    def predicted(self) -> Path:
        """What this repository's ``inferring`` says."""
        return self.folder / "predicted"

    def unzip(self, name: str) -> Path:
        """The package's zip, in a new folder."""
        with zipfile.ZipFile(self.package.archive) as archive:
            archive.extractall(self.folder / name)
        return self.folder / name / self.trial.name


def open_workplace(trial: Trial, folder: Path, bare: BareEnvironment, weights: Path | None = None) -> Workplace:
    """Train a copy of a bundle, or give it weights, judge it, apply it, and package it.

    Args:
        trial: of the bundle.
        folder: new.
        bare: the environment without this project.
        weights: in place of a training.

    Raises:
        Wrong: a step failed.
    """
    root = folder / "repository" / trial.name
    left_out = shutil.ignore_patterns("eval", "models")
    shutil.copytree(trial.bundle, root, ignore=left_out)
    if weights is None:
        _here(root, "training", ["train"], trial.learning)
    else:
        (root / "models").mkdir()
        shutil.copyfile(weights, root / "models" / "model.pt")
    _here(root, "evaluating", ["train", "evaluate"], trial.learning)
    applied = {**trial.network, **trial.applied, "output_dir": folder / "predicted"}
    _here(root, "inferring", ["inference"], applied)
    return Workplace(trial, folder, bare, root, make_package(root, folder / "dist"))


def _here(root: Path, run_id: str, configs: list[str], knobs: Mapping[str, Any]) -> None:
    command = [sys.executable, *bundle_command(root, run_id, configs, knobs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"in this repository, {run_id} fails:\n{last_lines(done)}")
