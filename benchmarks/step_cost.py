"""What a training step of the 3D networks costs: seconds and memory, in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from benchmarks.memory import anonymous, watched
from common.networks import BatchCrossEntropy, SpatioSpatialClassifier

LEARNING_RATE, WEIGHT_DECAY = 1e-5, 1e-3


@dataclass(frozen=True)
class StepCost:
    """Of one training step: forward pass, weighted loss, backward pass and Adam.

    Args:
        parameters: of the network.
        seconds: median.
        megabytes: at the peak, for weights, gradients, Adam's moments and activations.
    """

    parameters: int
    seconds: float
    megabytes: float


def measure_step(
    knobs: Mapping[str, Any],
    size: Sequence[int] = (80, 96, 80),
    batch_size: int = 1,
    steps: int = 5,
    device: str = "cpu",
    amp: bool = False,
    threads: int | None = None,
) -> StepCost:
    """Train on random volumes, after one step that is not timed.

    A fresh process does it: memory that an earlier network has freed stays with its process.

    Args:
        knobs: of :class:`~common.networks.SpatioSpatialClassifier`.
        size: voxels along x, y and z; the default is a head at 2 mm.
        batch_size: volumes per step.
        steps: that are timed.
        device: ``cpu`` or ``cuda``.
        amp: mixed precision, on a GPU alone, as MONAI's trainer has it.
        threads: of the CPU; PyTorch's choice by default.
    """
    shape = (batch_size, int(knobs.get("in_channels", 1)), *size)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_train, dict(knobs), shape, steps, device, amp, threads).result()


def _train(
    knobs: Mapping[str, Any], shape: tuple[int, ...], steps: int, device: str, amp: bool, threads: int | None
) -> StepCost:
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    on_gpu, before = device != "cpu", anonymous()
    with watched() as peak:
        network = SpatioSpatialClassifier(**knobs).to(device).train()
        seconds = _time_steps(network, torch.rand(shape, device=device), steps, amp and on_gpu)
    megabytes = torch.cuda.max_memory_allocated() / 1e6 if on_gpu else peak[0] - before
    return StepCost(sum(weight.numel() for weight in network.parameters()), median(seconds), megabytes)


def _time_steps(network: SpatioSpatialClassifier, image: torch.Tensor, steps: int, amp: bool) -> list[float]:
    """Seconds of each step but the first."""
    dense_layer: Any = network.head[-1]
    classes = dense_layer.out_features
    label = torch.arange(len(image), device=image.device) % classes
    loss_function = BatchCrossEntropy(torch.ones(classes)).to(image.device)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    scaler, seconds = torch.amp.GradScaler("cuda", enabled=amp), []
    for _ in range(steps + 1):
        begun = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", enabled=amp):
            loss = loss_function(network(image), label)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        if image.is_cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]
