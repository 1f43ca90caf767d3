"""The cost of a training step: parameters, seconds, memory."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Events
from monai.engines.workflow import Workflow
from monai.utils.enums import CommonKeys
from torch import nn

from common.files import write_json

COST = "cost.json"
WARM_UP, MEASURED = 3, 20
"""Steps: the first ones allocate memory and choose algorithms."""

MEGABYTE = 1e6


class TrainingCost:
    """Measures the first steps of a training and writes ``cost.json`` into the run folder; later steps are not slowed.

    A step is forward pass, loss, backward pass and optimiser, without the loading of the batch. On a GPU the memory is
    the most that tensors took at once; on a CPU it is the most that the whole process took, libraries included.

    Args:
        network: that learns.
        output_dir: the run folder.
    """

    def __init__(self, network: nn.Module, output_dir: str | Path) -> None:
        self.network, self.path = network, Path(output_dir) / COST
        self.seconds: list[float] = []
        self.image: list[int] = []
        self.begun = 0.0

    def attach(self, engine: Workflow) -> None:
        """Register with a trainer; the first process measures."""
        if idist.get_rank() > 0:
            return
        engine.add_event_handler(Events.ITERATION_STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self.stop)
        engine.add_event_handler(Events.COMPLETED, self.finish)

    def start(self, engine: Workflow) -> None:
        """Begin a step; later MONAI takes the batch apart."""
        if self._is_done:
            return
        self.image = list(engine.state.batch[CommonKeys.IMAGE].shape)
        if self._device.type == "cuda":
            if not self.seconds:
                torch.cuda.reset_peak_memory_stats(self._device)
            torch.cuda.synchronize(self._device)
        self.begun = time.perf_counter()

    def stop(self, _: Workflow) -> None:
        """End a step."""
        if self._is_done:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.seconds.append(time.perf_counter() - self.begun)
        if self._is_done:
            self._write()

    def finish(self, _: Workflow) -> None:
        """Write what was measured where a training has fewer steps."""
        if self.seconds and not self._is_done:
            self._write()

    @property
    def _is_done(self) -> bool:
        return len(self.seconds) == WARM_UP + MEASURED

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def _write(self) -> None:
        measured = self.seconds[WARM_UP:] or self.seconds
        content: dict[str, Any] = {
            "parameters": sum(weight.numel() for weight in self.network.parameters()),
            "step_seconds": median(measured),
            "steps": len(measured),
            **_peak_memory(self._device),
            "image": self.image,
        }
        write_json(self.path, content)


def _peak_memory(device: torch.device) -> dict[str, Any]:
    """Megabytes, what they count (tensors or the process), and the device."""
    if device.type == "cuda":
        peak = torch.cuda.max_memory_allocated(device) / MEGABYTE
        return {"peak_memory_mb": peak, "memory_of": "tensors", "device": torch.cuda.get_device_name(device)}
    return {"peak_memory_mb": _peak_of_process(), "memory_of": "process", "device": device.type}


def _peak_of_process() -> float | None:
    """Megabytes; unknown on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / MEGABYTE
