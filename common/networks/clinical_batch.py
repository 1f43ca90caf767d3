"""From a batch of a data loader to the arguments of a fusion network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from monai.engines import PrepareBatch, default_prepare_batch
from torch import Tensor

from common.errors import DatasetError, Problem
from common.names import name_some


class PrepareClinicalBatch(PrepareBatch):
    """MONAI's ``prepare_batch`` for an image and, where the network takes them, clinical values.

    The network itself replaces absent values by zeros (see :class:`~common.networks.FusionClassifier`); here
    they are refused.

    Args:
        in_clinical: number of clinical values that the network takes; 0 for images alone.

    Raises:
        DatasetError: clinical values are absent, of another number, or not finite; names the subjects.

    Returns:
        ``(image, label)``, or ``(image, label, (), {"clinical": values})`` with values (batch, in_clinical) as
        float32; ``label`` is ``None`` where there is none.
    """

    def __init__(self, in_clinical: int = 0) -> None:
        self.in_clinical = int(in_clinical)

    def __call__(
        self,
        batchdata: Mapping[str, Any],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Arguments of the network, on ``device``."""
        image, label = default_prepare_batch(dict(batchdata), device, non_blocking, **kwargs)
        if not self.in_clinical:
            return image, label
        values = self._values(batchdata).to(device=device, dtype=torch.float32, non_blocking=non_blocking)
        return image, label, (), {"clinical": values}

    def _values(self, batchdata: Mapping[str, Any]) -> Tensor:
        subjects = batchdata.get("subject", ())
        where = name_some({subjects} if isinstance(subjects, str) else set(map(str, subjects))) or "a batch"
        found = batchdata.get("clinical")
        if found is None:
            what = f"there are no clinical values, and the network takes {self.in_clinical}"
            hint = "Add the values it was trained with (such as age and resection)."
            raise DatasetError(Problem(what, where, hint))
        values = _as_rows(found)
        if values.ndim != 2 or values.shape[1] != self.in_clinical:
            width = values.shape[-1] if values.ndim else 1
            what = f"there are {width} clinical values, and the network takes {self.in_clinical}"
            raise DatasetError(Problem(what, where, "Encode the same clinical values as in training."))
        if not torch.isfinite(values).all():
            hint = "Give the value, or take a network that was trained with missing values."
            raise DatasetError(Problem("a clinical value is no finite number", where, hint))
        return values


def _as_rows(found: Any) -> Tensor:
    """A tensor (batch, width); PyTorch collates lists of numbers into a list of columns."""
    if isinstance(found, Sequence):
        return torch.stack([torch.as_tensor(column) for column in found], dim=-1)
    return torch.as_tensor(found)
