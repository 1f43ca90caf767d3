"""A training epoch over a warm cache, against the same steps on tensors that are already in memory.

Ours is an epoch of the bundle's own trainer (`configs/train.yaml`, default crop and batch size, no validation): it
reads slices from the cache, augments them, steps, logs, and saves the state to resume from. Bare is forward pass,
loss, backward pass and Adam with the same channels-last network. Both make sixteen steps where a real epoch makes 150,
so what happens once an epoch weighs more here than it does in earnest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monai.utils import convert_to_tensor

from benchmarks.bundle import NEVER, open_bundle
from benchmarks.timing import Ratio, alternate

NAME = "training epoch"
LIMIT = 1.15
BATCH = 16


def measure(cohort: Path, folder: Path, repeats: int, advance: Callable[[], object], steps: int = 16) -> Ratio:
    """Seconds an epoch of ``steps`` steps."""
    workflow = open_bundle(
        "train",
        folder,
        dataset_dir=str(cohort),
        cache_dir=str(folder / "cache"),
        weights=str(folder / "model.pt"),
        val_interval=NEVER,
        epochs=NEVER,
        batch_size=BATCH,
        samples_per_epoch=steps * BATCH,
    )
    part = workflow.parser.get_parsed_content
    part("training_state")
    trainer, network, loss_function, optimizer = map(part, ("train#trainer", "network", "loss", "optimizer"))
    batches = [
        [convert_to_tensor(batch[key], track_meta=False) for key in ("image", "label")]
        for batch in part("train#dataloader")
    ]

    def epoch() -> None:
        trainer.state.max_epochs = trainer.state.epoch + 1
        trainer.run()

    def bare_steps() -> None:
        network.train()
        for image, label in batches:
            optimizer.zero_grad(set_to_none=True)
            loss_function(network(image), label).backward()
            optimizer.step()

    return Ratio(NAME, *alternate(epoch, bare_steps, repeats, advance), LIMIT)
