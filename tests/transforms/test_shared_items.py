from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from common.errors import DatasetError
from common.transforms.shared_items import case_facts, class_shares, class_weights, clinical_as_tensor, share_weights


def test_weights_by_hand() -> None:
    items = [{"label": label} for label in (0, 1, 1, 1)]
    weights = class_weights(items, 2)
    assert weights.dtype == torch.float32
    assert weights.tolist() == pytest.approx([2.0, 2 / 3])
    assert sum(float(weights[item["label"]]) for item in items) / len(items) == pytest.approx(1)


def test_a_class_weighs_what_it_lacks_of_all() -> None:
    """P4: 1 - 1/5, 1 - 3/5, 1 - 1/5."""
    weights = share_weights(({"label": label} for label in (0, 1, 1, 1, 2)), 3)
    assert weights.dtype == torch.float32
    assert weights.tolist() == pytest.approx([0.8, 0.4, 0.8])


def test_shares_of_the_classes_where_probabilities_hold() -> None:
    """Of five items 1, 3 and 1; P4's weights .8, .4 and .8 make .8, 1.2 and .8 of them."""
    items = [{"label": label} for label in (0, 1, 1, 1, 2)]
    assert class_shares(items, ["a", "b", "c"]) == pytest.approx({"a": 0.2, "b": 0.6, "c": 0.2})
    moved = class_shares(items, ["a", "b", "c"], weighted=True)
    assert moved == pytest.approx({"a": 0.8 / 2.8, "b": 1.2 / 2.8, "c": 0.8 / 2.8})
    assert class_shares([], ["a", "b"]) == {}


@pytest.mark.parametrize("weigh", [class_weights, share_weights])
def test_classes_weigh_alike_on_the_word(weigh: Callable[..., torch.Tensor]) -> None:
    items = [{"label": label} for label in (0, 1, 1, 1)]
    assert weigh(items, 2, "false") is None
    assert weigh(items, 2, "true", torch.device("cpu")).tolist() == weigh(items, 2).tolist()


@pytest.mark.parametrize("weigh", [class_weights, share_weights])
def test_every_class_without_an_item_is_told(weigh: Callable[..., torch.Tensor]) -> None:
    with pytest.raises(DatasetError) as caught:
        weigh([{"label": 1}, {"label": 1}], 4)
    assert [problem.what.split(",")[0] for problem in caught.value.problems] == [
        "no item is of class 0",
        "no item is of class 2",
        "no item is of class 3",
    ]


def test_an_item_says_what_is_known_of_its_case() -> None:
    case = {"subject": "p1", "label": 0, "scan": None, "clinical": [0.5], "age": 61, "cached": "a.npy"}
    assert case_facts(case, "cached") == {"subject": "p1", "label": 0, "clinical": [0.5], "cached": "a.npy"}
    assert case_facts({"subject": "p1", "scan": "p1-000"}) == {"subject": "p1", "scan": "p1-000"}


def test_clinical_values_become_a_tensor() -> None:
    clinical = clinical_as_tensor({"clinical": [0.5, 1]})["clinical"]
    assert clinical.dtype == torch.float32
    assert clinical.tolist() == [0.5, 1.0]
    assert clinical_as_tensor({"subject": "p1"}) == {"subject": "p1"}
