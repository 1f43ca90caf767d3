"""What the items of every view have in common: facts of their case, and class weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, cast

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight

from common.errors import DatasetError, Problem, SplitError
from common.knobs import as_bool
from common.records import value_of
from common.transforms.cases import Case


class Item(TypedDict, total=False):
    """A sample in the transforms: facts of its case, then tensors under ``image`` and ``label``."""

    subject: str
    scan: str
    image: Any
    label: Any
    clinical: Any
    cached: str
    cached_mask: str
    geometry: Any
    slice: int
    slices: Any
    plane: int
    whole: bool
    modality: Any
    tumour: bool
    shares: Any
    mask: Any
    mask_values: Sequence[int]
    spacing: Sequence[float]
    brain_mask: str
    pred: Any
    probabilities: Any
    seg_file: str
    probabilities_file: str
    volume_file: str
    trained_on: str


FACTS = ("subject", "scan", "label", "clinical")


def case_facts(case: Case, *keys: str) -> Item:
    """Facts of a case for its items.

    Returns:
        Subject, scan, label and clinical values, and ``keys``; without those that the case does not have.
    """
    return cast(Item, {key: value_of(case, key) for key in (*FACTS, *keys) if case.get(key) is not None})


def clinical_as_tensor(item: Item) -> Item:
    """``clinical``, where there is one, as float32 (n,): PyTorch collates lists into a list of columns.

    Returns:
        A copy of the item.
    """
    if item.get("clinical") is not None:
        item["clinical"] = torch.as_tensor(item["clinical"], dtype=torch.float32)
    return item


def split_indices(case: Case, key: str, unit: str, count: int) -> Sequence[int]:
    """The indices of a case's slices or images that a split over them names.

    Args:
        case: with ``key``.
        key: ``slices`` or ``images``.
        unit: what an index means, for the message.
        count: how many the case has.

    Raises:
        SplitError: the split names one that the case does not have.
    """
    beyond = [index for index in value_of(case, key) if not 0 <= index < count]
    if beyond:
        what = f"the split names {unit} {', '.join(map(str, beyond))} of {count}, counted from 0"
        raise SplitError(Problem(what, case["subject"], "Correct the split file."))
    return value_of(case, key)


def class_weights(
    items: Iterable[Item], num_classes: int, balance: bool | str = True, device: torch.device | str = "cpu"
) -> torch.Tensor | None:
    """One weight per class, inverse to its frequency, for the cross-entropy; the items' mean weight is 1.

    Args:
        items: with ``label``, of the training side.
        num_classes: how many there are.
        balance: the knob; false gives all classes the same weight.
        device: where the loss is computed.

    Returns:
        float32 (num_classes,), or ``None`` where all classes have the same weight.

    Raises:
        DatasetError: with every class that no item has.
    """
    if not as_bool(balance, "balance"):
        return None
    labels = _labels_of_all(items, num_classes)
    weights = compute_class_weight("balanced", classes=np.arange(num_classes), y=labels)
    return torch.as_tensor(weights, dtype=torch.float32, device=device)


def share_weights(
    items: Iterable[Item], num_classes: int, balance: bool | str = True, device: torch.device | str = "cpu"
) -> torch.Tensor | None:
    """One weight per class, 1 minus its share of the items: W_c = 1 - n_c / sum(n) (P4).

    Args:
        items: with ``label``, of the training side.
        num_classes: how many there are.
        balance: the knob; false gives all classes the same weight.
        device: where the loss is computed.

    Returns:
        float32 (num_classes,), or ``None`` where all classes have the same weight.

    Raises:
        DatasetError: with every class that no item has.
    """
    if not as_bool(balance, "balance"):
        return None
    labels = _labels_of_all(items, num_classes)
    shares = np.bincount(labels, minlength=num_classes) / len(labels)
    return torch.as_tensor(1 - shares, dtype=torch.float32, device=device)


def class_shares(items: Iterable[Item], classes: Sequence[str], weighted: bool = False) -> dict[str, float]:
    """How frequent the classes are where a network's probabilities hold.

    Args:
        items: with ``label``, of the training side.
        classes: their names, in the order of the labels.
        weighted: the loss moved the probabilities by :func:`share_weights`, as P4's; else they are as in training.

    Returns:
        The share of each class, 1 in all; empty without items.
    """
    counts = np.bincount([int(item["label"]) for item in items], minlength=len(classes)).astype(float)
    if not counts.any():
        return {}
    if weighted:
        counts *= 1 - counts / counts.sum()
    return dict(zip(classes, (counts / counts.sum()).tolist(), strict=True))


def _labels_of_all(items: Iterable[Item], num_classes: int) -> np.ndarray:
    labels = [int(item["label"]) for item in items]
    hint = "Take another split or seed, or other classes, so that the training side holds each of them."
    empty = [
        Problem(f"no item is of class {index}, of {num_classes} classes counted from 0", "training side", hint)
        for index in range(num_classes)
        if index not in labels
    ]
    if empty:
        raise DatasetError(empty)
    return np.asarray(labels)


def case_items(cases: Iterable[Case], per_modality: bool = False) -> list[Item]:
    """The cases of :func:`~common.transforms.slices.cache.prepare_slices`, or of
    :func:`~common.transforms.volumes.cache.prepare_volumes`.

    Args:
        cases: with ``images`` where an image-level split names the modalities of a case that are on its side.
        per_modality: an item for each modality of each case, its index in ``modality`` (P1: 152 patients make 608
            images).

    Returns:
        One item per case, or per modality.

    Raises:
        SplitError: a split over images without ``per_modality``, or with a modality that the case does not have.
    """
    cases = list(cases)
    if not per_modality:
        if any("images" in case for case in cases):
            what = "it is over single modalities, and each patient's modalities are taken together"
            raise SplitError(Problem(what, "the split", "Give --samples modality, or --split_by patient."))
        return [case_facts(case, "cached") for case in cases]
    return [
        {**case_facts(case, "cached"), "modality": index}
        for case in cases
        for index in (
            split_indices(case, "images", "modality", len(case["modalities"]))
            if "images" in case
            else range(len(case["modalities"]))
        )
    ]
