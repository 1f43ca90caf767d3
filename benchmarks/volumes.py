"""A training step of the 3D networks on one volume, against torchvision's networks as they come.

Ours is `SpatioSpatialClassifier` with its defaults (channels-last weights), bare the same network with its channels
first, as torchvision builds it. Recomputed is with `checkpointing: true`, against the defaults: it saves memory and
costs time. A step is a forward pass, the weighted loss, the backward pass and Adam, on one volume of 80x96x80 voxels (a
head at 2 mm) in full precision. Memory is what the process takes more than before it built the network (`RssAnon` of
Linux, sampled every 10 ms): weights, gradients, Adam's moments and activations. A process of its own is run for each
network and setting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.step_cost import StepCost, measure_step
from benchmarks.timing import THREADS, Ratio
from common.networks.video_backbones import PUBLISHED

NAME = "volume step"
LIMIT = 1.1
RECOMPUTED_SECONDS, RECOMPUTED_MEMORY = 1.5, 0.95
"""A recomputed step does the forward pass twice, which is a third more; it must save something for that."""
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "ours": {},
    "bare": {"channels_last": False},
    "recomputed": {"checkpointing": True},
}


def measure(repeats: int, advance: Callable[[], object]) -> list[Ratio]:
    """Seconds and megabytes of a step, by network."""
    ratios = []
    for backbone in PUBLISHED:
        costs: dict[str, list[StepCost]] = {setting: [] for setting in SETTINGS}
        for _ in range(repeats):
            for setting, knobs in SETTINGS.items():
                costs[setting].append(measure_step({"backbone": backbone, **knobs}, threads=THREADS))
            advance()
        ratios += compare(backbone, costs)
    return ratios


def compare(backbone: str, costs: Mapping[str, Sequence[StepCost]]) -> list[Ratio]:
    """The rows of a network from what its settings cost."""
    seconds = {setting: median(cost.seconds for cost in measured) for setting, measured in costs.items()}
    memory = {setting: median(cost.megabytes for cost in measured) for setting, measured in costs.items()}
    recomputed = f"recomputed {NAME}, {backbone}"
    return [
        Ratio(f"{NAME}, {backbone}", seconds["ours"], seconds["bare"], LIMIT),
        Ratio(f"{NAME}, {backbone}", memory["ours"], memory["bare"], LIMIT, "MB"),
        Ratio(recomputed, seconds["recomputed"], seconds["ours"], RECOMPUTED_SECONDS),
        Ratio(recomputed, memory["recomputed"], memory["ours"], RECOMPUTED_MEMORY, "MB"),
    ]
