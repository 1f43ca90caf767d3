"""Applies a network to a volume slice by slice, or to a bag of a patient's images in small batches."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, cast

import torch
from monai.data import MetaTensor
from monai.inferers import Inferer, SimpleInferer, SliceInferer
from torch import Tensor
from torch.nn.functional import interpolate

from common.errors import DatasetError, KnobError, Problem

BAG_DIMENSIONS = 5


class FlipSliceInferer(SliceInferer):
    """MONAI's :class:`SliceInferer` over whole axial slices of any size, averaging over flips on request.

    Args:
        slice_batch_size: slices per forward pass.
        flips: in-plane axes of (x, y) to mirror: ``[]`` for none, ``[0]`` for left-right, ``[0, 1]`` for both, which
            takes four passes.
        slice_size: pixels (x, y) that slices are resized to before they are segmented, as in P3's training; the logits
            are resized back. By default they keep their size.

    Raises:
        KnobError: ``flips`` are other axes.

    Shapes:
        (batch, channel, x, y, z) → logits, or the logarithm of averaged probabilities, (batch, class, x, y, z).
    """

    def __init__(
        self,
        slice_batch_size: int = 16,
        flips: tuple[int, ...] | list[int] = (),
        slice_size: tuple[int, ...] | list[int] | None = None,
    ) -> None:
        super().__init__(roi_size=(-1, -1), spatial_dim=2, sw_batch_size=slice_batch_size)
        self.flips, self.slice_size = _check_flips(flips), tuple(slice_size) if slice_size else None

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Logits of the whole volume."""
        inputs = _bare(inputs)
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
        if self.slice_size is None:
            return cast(Tensor, super().__call__(inputs, network, *args, **kwargs))
        resized = _resize(inputs, self.slice_size)
        return _resize(cast(Tensor, super().__call__(resized, network, *args, **kwargs)), tuple(inputs.shape[2:4]))


def _resize(volumes: Tensor, size: tuple[int, ...]) -> Tensor:
    """Each slice of (batch, channel, x, y, z) bilinearly, as :class:`monai.transforms.Resize` does it."""
    return interpolate(volumes.float(), (*size, volumes.shape[-1]), mode="trilinear", align_corners=False)


def _check_flips(flips: Any) -> tuple[int, ...]:
    chosen = tuple(flips) if isinstance(flips, list | tuple) else (flips,)
    if any(axis not in (0, 1) for axis in chosen) or len(set(chosen)) < len(chosen):
        hint = "Choose [] for none, [0], [1] or [0, 1]: axes of (x, y)."
        raise KnobError(Problem(f"{flips!r} names no in-plane axes", "--flips", hint))
    return chosen


class ImageInferer(SimpleInferer):
    """MONAI's :class:`SimpleInferer` on images without their metadata, which would slow down every layer."""

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Tensor:
        """Logits."""
        return super().__call__(_bare(inputs), network, *args, **kwargs)


class BagInferer(Inferer):
    """Logits of each image of a bag: of a patient's slices, or of their modalities where each is a sample.

    A program that gives the inferer the image alone, as MONAI Label does, has the clinical values in the image's
    metadata, where :class:`~common.transforms.EncodeClinicald` puts them. Without them there is no answer: the network
    itself would take zeros.

    Args:
        batch_size: images per forward pass.
        in_clinical: number of clinical values that the network takes; 0 for images alone.

    Raises:
        KnobError: ``batch_size`` is no number from 1.
        DatasetError: the network takes clinical values, and there are none.

    Shapes:
        A bag (1, n, channel, x, y) → logits (1, n, class); its ``clinical`` values (1, width) hold for all of its
        images. A batch of images (batch, channel, x, y) → (batch, class), as MONAI's ``SimpleInferer``.
    """

    def __init__(self, batch_size: int = 64, in_clinical: int = 0) -> None:
        super().__init__()
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            hint = "Give a whole number from 1."
            raise KnobError(Problem(f"{batch_size!r} images make no batch", "--inference_batch_size", hint))
        self.batch_size, self.in_clinical = batch_size, int(in_clinical)

    def __call__(
        self,
        inputs: Tensor,
        network: Callable[..., Tensor],
        *args: Any,
        clinical: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Logits; raises ``ValueError`` for several bags in a batch, which have no common size."""
        clinical = self._values_of(inputs) if clinical is None else clinical
        inputs = _bare(inputs)
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

    def _values_of(self, inputs: Tensor) -> Tensor | None:
        """The clinical values (1, width) in the metadata of one patient's image; ``None`` where none are taken."""
        if not self.in_clinical:
            return None
        found = getattr(inputs, "meta", {}).get("clinical")
        values = torch.as_tensor([] if found is None else found, dtype=torch.float32, device=inputs.device)
        if values.shape != (self.in_clinical,) or inputs.shape[0] != 1:
            what = f"the network takes {self.in_clinical} clinical values of a patient, and {values.numel()} came along"
            hint = "Give those it was trained with, such as age and resection."
            raise DatasetError(Problem(what, "the image", hint))
        return values[None]


def _bare(inputs: Tensor) -> Tensor:
    """Without metadata, which would slow down every layer."""
    return inputs.as_tensor() if isinstance(inputs, MetaTensor) else inputs
