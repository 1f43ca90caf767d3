"""Segmenting a volume slice by slice, optionally averaged over mirrored copies."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, cast

import torch
from monai.data import MetaTensor
from monai.inferers import SliceInferer
from torch import Tensor

from common.errors import KnobError, Problem


class FlipSliceInferer(SliceInferer):
    """MONAI's :class:`SliceInferer` over whole axial slices of any size, averaging over flips on request.

    Args:
        slice_batch_size: slices a forward pass.
        flips: in-plane axes of (x, y) to mirror: ``[]`` for none, ``[0]`` for left-right, ``[0, 1]`` for both, which
            takes four passes.

    Raises:
        KnobError: ``flips`` are other axes.

    Shapes:
        (batch, channel, x, y, z) → logits, or the logarithm of averaged probabilities, (batch, class, x, y, z).
    """

    def __init__(self, slice_batch_size: int = 16, flips: tuple[int, ...] | list[int] = ()) -> None:
        super().__init__(roi_size=(-1, -1), spatial_dim=2, sw_batch_size=slice_batch_size)
        self.flips = _check_flips(flips)

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Logits of the whole volume."""
        if isinstance(inputs, MetaTensor):
            inputs = inputs.as_tensor()  # metadata would be carried through every layer, at a cost
        logits = self._segment(inputs, network, *args, **kwargs)
        if not self.flips:
            return logits
        total = logits.float().softmax(dim=1)
        subsets = [axes for size in range(1, len(self.flips) + 1) for axes in combinations(self.flips, size)]
        for axes in subsets:
            dims = [axis + 2 for axis in axes]
            mirrored = self._segment(inputs.flip(dims), network, *args, **kwargs)
            total += mirrored.float().softmax(dim=1).flip(dims)
        return torch.log((total / (1 + len(subsets))).clamp_min(1e-7))

    def _segment(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        return cast(Tensor, super().__call__(inputs, network, *args, **kwargs))


def _check_flips(flips: Any) -> tuple[int, ...]:
    chosen = tuple(flips) if isinstance(flips, list | tuple) else (flips,)
    if any(axis not in (0, 1) for axis in chosen) or len(set(chosen)) < len(chosen):
        mend = "Choose [] for none, [0], [1] or [0, 1]: axes of (x, y)."
        raise KnobError(Problem(f"{flips!r} names no in-plane axes", "--flips", mend))
    return chosen
