"""Segmenting a volume slice by slice, optionally averaged over mirrored copies."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import torch
from monai.inferers import SliceInferer
from torch import Tensor


class FlipSliceInferer(SliceInferer):
    """MONAI's :class:`SliceInferer` over whole axial slices, averaging probabilities over flips on request.

    Args:
        slice_batch_size: slices a forward pass.
        flips: in-plane axes of (x, y) to mirror: ``[]`` for none, ``[0]`` for left–right, ``[0, 1]`` for both, which
            takes four passes.

    Shapes:
        (batch, channel, x, y, z) → logits, or the logarithm of averaged probabilities, (batch, class, x, y, z).
    """

    def __init__(self, slice_batch_size: int = 16, flips: tuple[int, ...] | list[int] = ()) -> None:
        super().__init__(roi_size=(-1, -1), spatial_dim=2, sw_batch_size=slice_batch_size)
        self.flips = tuple(flips)

    def __call__(self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        """Logits of the whole volume."""
        logits = super().__call__(inputs, network, *args, **kwargs)
        if not self.flips:
            return logits  # type: ignore[return-value]
        total = logits.softmax(dim=1)  # type: ignore[union-attr]
        subsets = [axes for size in range(1, len(self.flips) + 1) for axes in combinations(self.flips, size)]
        for axes in subsets:
            dims = [axis + 2 for axis in axes]
            mirrored = super().__call__(inputs.flip(dims), network, *args, **kwargs)
            total += mirrored.softmax(dim=1).flip(dims)  # type: ignore[union-attr]
        return torch.log((total / (1 + len(subsets))).clamp_min(1e-7))
