from __future__ import annotations

from math import log

import torch
from monai.data import MetaTensor

from common.transforms import ClassProbabilitiesd


def test_one_image() -> None:
    item = ClassProbabilitiesd("pred")({"pred": torch.tensor([log(1.0), log(3.0)]), "subject": "P"})
    torch.testing.assert_close(item["pred"], torch.tensor([0.25, 0.75]))
    torch.testing.assert_close(item["samples"], torch.tensor([[0.25, 0.75]]))
    assert item["votes"].tolist() == [0, 1]
    assert item["subject"] == "P"


def test_the_mean_and_the_majority_of_a_bag_may_differ() -> None:
    """Two slices are a little for class 0, the third is sure of class 1."""
    shares = torch.tensor([[0.5, 0.4, 0.1], [0.5, 0.4, 0.1], [0.05, 0.9, 0.05]])
    logits = MetaTensor(shares.log() + 5)
    item = ClassProbabilitiesd()({"pred": logits})
    torch.testing.assert_close(item["pred"], torch.tensor([0.35, 1.7 / 3, 0.25 / 3]))
    torch.testing.assert_close(item["samples"], shares)
    assert item["votes"].tolist() == [2, 1, 0]
    assert item["votes"].dtype == torch.int64
    assert torch.equal(logits, shares.log() + 5)  # the logits themselves are not changed


def test_half_precision_gives_whole_probabilities() -> None:
    item = ClassProbabilitiesd()({"pred": torch.tensor([[1.0, 2.0, 3.0]] * 155, dtype=torch.float16)})
    assert item["pred"].dtype == torch.float32
    torch.testing.assert_close(item["pred"].sum(), torch.tensor(1.0))
