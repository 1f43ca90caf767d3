"""A training epoch over a warm cache, against the same steps on tensors that are already in memory.

Ours is an epoch of the bundle's own trainer (default sizes and batch, no validation): it reads slices from the cache,
augments them, steps, logs, and saves the state to resume from. Bare is forward pass, loss, backward pass and Adam with
the same channels-last network. Both make 2 to 12 steps where a real epoch makes 20 to 300, so what happens once per
epoch counts more here than in a real run. The survival bundle's `train.yaml` is not measured, nor is MGMT's: their
code is that of the grade bundle, network and most transforms included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.bundle import NEVER, open_bundle
from benchmarks.timing import Ratio, alternate
from common.phantoms.layouts.br35h import make_br35h_phantoms

NAME = "training epoch"
LIMIT = 1.15


@dataclass(frozen=True)
class Training:
    """A training config, and how much of it is measured.

    Args:
        bundle: its name.
        config: of the bundle.
        batch: the config's own batch size.
        steps: of an epoch.
        make_data: makes the phantoms in a new folder, where they are not BraTS patients.
    """

    bundle: str
    config: str
    batch: int
    steps: int
    make_data: Callable[[Path], Path] | None = None


TRAININGS = (
    Training("glioma_segmentation", "train", batch=16, steps=12),
    Training("glioma_grade_classification", "train", batch=16, steps=4),
    Training("glioma_survival_classification", "train_masks", batch=32, steps=4),
    Training(
        "brain_tumor_classification", "train", batch=32, steps=2, make_data=partial(make_br35h_phantoms, originals=60)
    ),
    Training("glioma_spatiospatial_classification", "train", batch=1, steps=4),
)


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds per epoch of each of :data:`TRAININGS`.

    Args:
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    return [measure_training(training, cohort, folder, repeats, advance) for training in TRAININGS]


def measure_training(
    training: Training, cohort: Path, folder: Path, repeats: int, advance: Callable[[], object]
) -> Ratio:
    """Seconds per epoch of one config.

    Args:
        training: the config.
        cohort: a folder of BraTS phantoms.
        folder: for files of the benchmark.
        repeats: how often both are timed.
        advance: called after each repeat, for the progress bar.
    """
    data = training.make_data(folder / "data" / training.bundle) if training.make_data else cohort
    workflow = open_bundle(
        training.bundle,
        training.config,
        folder / training.bundle,
        dataset_dir=str(data),
        cache_dir=str(folder / "cache"),
        weights=str(folder / training.bundle / "model.pt"),
        val_interval=NEVER,
        epochs=NEVER,
        batch_size=training.batch,
        samples_per_epoch=training.steps * training.batch,
    )
    part = workflow.parser.get_parsed_content
    trainer, network, loss_function, optimizer = map(part, ("train#trainer", "network", "loss", "optimizer"))
    batches = [trainer.prepare_batch(batch, trainer.state.device) for batch in part("train#dataloader")]

    def epoch() -> None:
        trainer.state.max_epochs = trainer.state.epoch + 1
        trainer.run()

    def bare_steps() -> None:
        network.train()
        for image, label, *more in batches:
            optimizer.zero_grad(set_to_none=True)
            loss_function(network(image, **(more[1] if more else {})), label).backward()
            optimizer.step()

    return Ratio(f"{NAME}, {training.bundle}", *alternate(epoch, bare_steps, repeats, advance), LIMIT)
