"""Patients with several images: all of a patient's go through the network, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import Tensor

from common.errors import KnobError, Problem

BAG_DIMENSIONS = 5


class BagInferer(Inferer):
    """Logits of each image of a bag: of a patient's slices, or of their modalities where each is a sample.

    Args:
        batch_size: images a forward pass.

    Raises:
        KnobError: ``batch_size`` is no number from 1.

    Shapes:
        A bag (1, n, channel, x, y) → logits (1, n, class); its ``clinical`` values (1, width) hold for all of its
        images. A batch of images (batch, channel, x, y) → (batch, class), as MONAI's ``SimpleInferer``.
    """

    def __init__(self, batch_size: int = 64) -> None:
        super().__init__()
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            mend = "Give a whole number from 1."
            raise KnobError(Problem(f"{batch_size!r} images make no batch", "--inference_batch_size", mend))
        self.batch_size = batch_size

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Tensor],
        *args: Any,
        clinical: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Logits; raises ``ValueError`` for several bags in a batch, which have no common size."""
        if isinstance(inputs, MetaTensor):
            inputs = inputs.as_tensor()  # metadata would be carried through every layer, at a cost
        given = {} if clinical is None else {"clinical": clinical}
        if inputs.ndim < BAG_DIMENSIONS:
            return network(inputs, *args, **given, **kwargs)
        if inputs.shape[0] != 1:
            raise ValueError(f"one bag at a time, not {inputs.shape[0]}: set the loader's batch_size to 1")
        logits = []
        for images in inputs[0].split(self.batch_size):
            if clinical is not None:
                given = {"clinical": clinical.expand(len(images), -1)}
            logits.append(network(images, *args, **given, **kwargs))
        return torch.cat(logits)[None]
