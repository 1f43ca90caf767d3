"""Activations that are computed twice instead of kept: memory for time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, inputs: Tensor) -> Tensor:
    """``block(inputs)``, of which only the inputs are kept for the backward pass, by PyTorch's checkpointing.

    Batch normalisation takes note of a batch once, though it sees it twice. A block with dropout would need the random
    state kept as well, and has no place here.
    """

    def contexts() -> tuple[Any, Any]:
        return contextlib.nullcontext(), _statistics_kept(block)

    return checkpoint(block, inputs, use_reentrant=False, preserve_rng_state=False, context_fn=contexts)


@contextlib.contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """No batch that is seen within changes the running statistics."""
    layers: list[Any] = [layer for layer in block.modules() if isinstance(layer, _BatchNorm)]
    kept = [(layer, layer.momentum, layer.num_batches_tracked) for layer in layers]
    for layer in layers:
        layer.momentum, layer.num_batches_tracked = 0.0, None
    try:
        yield
    finally:
        for layer, momentum, batches in kept:
            layer.momentum, layer.num_batches_tracked = momentum, batches
