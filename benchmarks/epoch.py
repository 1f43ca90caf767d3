"""A training epoch over a warm cache, against the same steps on tensors that are already in memory.

Ours is an epoch of the bundle's own trainer (default sizes and batch, no validation): it reads slices from the cache,
augments them, steps, logs, and saves the state to resume from. Bare is forward pass, loss, backward pass and Adam with
the same channels-last network. Both make 4 to 12 steps where a real epoch makes 20 to 300, so what happens once per
epoch counts more here than in a real run. Bare are PyTorch's own steps, but with our network and loss. The survival
bundle's `train.yaml` is not measured: its code is that of the grade bundle, network and most transforms included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

from benchmarks.bundle import BUNDLES, NEVER, open_bundle
from benchmarks.timing import Ratio, alternate
from common.phantoms.layouts.br35h import make_br35h_phantoms
from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms

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

    def data_in(self, folder: Path, cohort: Path) -> Path:
        """The data set: ``cohort``, or phantoms of its own, which are made in ``folder`` once."""
        if self.make_data is None:
            return cohort
        place = folder / "data" / self.bundle
        return place if place.exists() else self.make_data(place)


TRAININGS = (
    Training("glioma_segmentation", "train", batch=16, steps=12),
    Training("glioma_grade_classification", "train", batch=16, steps=4),
    Training("glioma_survival_classification", "train_masks", batch=32, steps=8),
    Training(
        "brain_tumor_classification", "train", batch=32, steps=8, make_data=partial(make_br35h_phantoms, originals=60)
    ),
    Training("mgmt_classification", "train", batch=32, steps=8, make_data=partial(make_rsna_phantoms, patients=10)),
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
    workflow = open_training(
        training, training.data_in(folder, cohort), folder / training.bundle, folder / "cache", training.steps
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


def open_training(training: Training, data: Path, place: Path, cache: Path, steps: int = 1) -> ConfigWorkflow:
    """A config with its own batch size, without validation; it writes into ``place``.

    Args:
        training: the config.
        data: its data set.
        place: for what the bundle writes.
        cache: of prepared cases.
        steps: of an epoch, where the config draws samples.
    """
    knobs = known_knobs(
        training, val_interval=NEVER, batch_size=training.batch, samples_per_epoch=steps * training.batch
    )
    return open_bundle(
        training.bundle,
        training.config,
        place,
        dataset_dir=str(data),
        cache_dir=str(cache),
        weights=str(place / "model.pt"),
        epochs=NEVER,
        **knobs,
    )


def known_knobs(training: Training, **knobs: Any) -> dict[str, Any]:
    """Those of ``knobs`` that the config has."""
    text = (BUNDLES / training.bundle / "configs" / f"{training.config}.yaml").read_text(encoding="utf-8")
    return {name: value for name, value in knobs.items() if f"\n{name}: " in text}
