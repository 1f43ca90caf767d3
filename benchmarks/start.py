"""A training from its command to the end of its first step, against imports, the network and that step.

Ours is `python -m monai.bundle run training` over a warm cache, ended after its first step: it imports what it needs,
reads the config and the cohort, looks each case up, splits, builds the network, opens the run's folder and steps. Bare
is a process that imports PyTorch and MONAI's bundles, engines and handlers, reads our network and one batch from a
file, and makes a forward pass, a backward pass and a step of Adam. All batches have the configs' own size.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.bundle import BUNDLES, NEVER
from benchmarks.epoch import TRAININGS, Training, known_knobs, open_training
from benchmarks.timing import Ratio, alternate
from common.commands import bundle_command, run_to_end

NAME = "start"
LIMIT = 1.5

TO_THE_FIRST_STEP = """
import os, runpy, sys
from ignite.engine import Events
from monai.engines import SupervisedTrainer

def end_after_a_step(self, *args, **settings):
    build(self, *args, **settings)
    self.add_event_handler(Events.ITERATION_COMPLETED, lambda: os._exit(0))

build, SupervisedTrainer.__init__ = SupervisedTrainer.__init__, end_after_a_step
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""

BARE = """
import os, sys
import monai.bundle, monai.engines, monai.handlers, torch

network, image, more = torch.load(sys.argv[1], weights_only=False)
optimizer = torch.optim.Adam(network.parameters())
network.train()(image, **more).mean().backward()
optimizer.step()
os._exit(0)
"""


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds to the end of the first step of each training.

    Args:
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    return [measure_start(training, cohort, folder, repeats, advance) for training in TRAININGS]


def measure_start(training: Training, cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> Ratio:
    """Seconds to the end of the first step of one config.

    Args:
        training: the config.
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    data, place = training.data_in(folder, cohort), folder / f"start of {training.bundle}"
    workflow = open_training(training, data, place, folder / "cache")
    part = workflow.parser.get_parsed_content
    trainer = part("train#trainer")
    image, _, *more = trainer.prepare_batch(next(iter(part("train#dataloader"))), trainer.state.device)
    kept = place / "network_and_batch.pt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    torch.save((part("network"), image, more[1] if more else {}), kept)
    knobs = {
        "dataset_dir": data,
        "cache_dir": folder / "cache",
        "output_dir": place / "run",
        "weights": place / "model.pt",
        "device": "cpu",
        "overwrite": "true",
        **known_knobs(training, val_interval=NEVER, batch_size=training.batch),
    }
    command = bundle_command(BUNDLES / training.bundle, "training", [training.config], knobs)[1:]

    def start() -> None:
        run("-c", TO_THE_FIRST_STEP, *map(str, command))

    def bare_start() -> None:
        run("-c", BARE, str(kept))

    return Ratio(f"{NAME}, {training.bundle}", *alternate(start, bare_start, repeats, advance), LIMIT)


def run(*words: str) -> None:
    """A program of this interpreter in the repository's root, which must end well."""
    root = BUNDLES.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    ended = run_to_end(
        [sys.executable, *words], cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr.decode(errors="replace")[-2000:])
