"""From the logits of a patient's images to the patient's probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform
from monai.utils import convert_to_tensor

from common.errors import CheckpointError, Problem
from common.records import scan_of


def check_answer(logits: torch.Tensor, item: Mapping[Any, Any], weights: str | Path = "the weights") -> None:
    """Refuse what is no answer: its largest entry would be called a class, or its background no tumour.

    Args:
        logits: of a patient, of any shape.
        item: names the patient.
        weights: for the message.

    Raises:
        CheckpointError: one of them is NaN or +inf, of which soft-max makes NaN.
    """
    if bool((logits < torch.inf).all()):  # NaN is not; -inf is a probability of 0
        return
    who = f" for {scan_of(item)}" if item.get("subject") else ""
    hint = "Its training diverged, or mixed precision overflowed: try --amp false, else train again with a lower --lr."
    raise CheckpointError(Problem(f"the network's answer{who} is not a number", weights, hint))


class ClassProbabilitiesd(MapTransform):
    """Turn logits into a patient's probabilities and the votes of the images.

    The key becomes float32 (class,), a MetaTensor as MONAI Label wants it: soft-max probabilities, for several images
    their mean. Further keys are ``votes``, int64 (class,): how many images have each class as their most probable one
    (P3's majority vote is the largest); and ``samples``, float32 (n, class): probabilities of each image.

    Args:
        keys: of logits, (class,) for a single image or (n, class) for n; one key, since the other two have fixed names.
        allow_missing_keys: as MONAI's.

    Raises:
        CheckpointError: a logit is no number.
    """

    def __init__(self, keys: KeysCollection = "pred", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        item = dict(data)
        for key in self.key_iterator(item):
            logits = torch.atleast_2d(convert_to_tensor(item[key], track_meta=False).detach().float())
            check_answer(logits, item)
            samples = logits.softmax(dim=1)
            item[key] = MetaTensor(samples.mean(dim=0))
            item["votes"] = torch.bincount(samples.argmax(dim=1), minlength=samples.shape[1])
            item["samples"] = samples
        return item
