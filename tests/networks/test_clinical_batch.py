from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import list_data_collate

from common.errors import DatasetError
from common.networks import PrepareClinicalBatch


def batch(*clinical: Any) -> dict[str, Any]:
    items = [
        {"subject": f"P{number}", "image": torch.full((3, 4, 4), number), "label": number, "clinical": values}
        for number, values in enumerate(clinical)
    ]
    return list_data_collate(items)


@pytest.mark.parametrize("as_tensor", [True, False])
def test_values_go_to_the_network_by_name(as_tensor: bool) -> None:
    """Lists are collated column by column."""
    rows = [[0.25, 1.0, 0.0], [0.5, 0.0, 1.0]]
    given = [torch.tensor(row, dtype=torch.float64) if as_tensor else row for row in rows]
    image, label, args, kwargs = PrepareClinicalBatch(3)(batch(*given), "cpu", False)
    assert (image.shape, label.tolist(), args) == ((2, 3, 4, 4), [0, 1], ())
    assert kwargs.keys() == {"clinical"}
    assert kwargs["clinical"].dtype == torch.float32
    assert kwargs["clinical"].tolist() == rows


def test_images_alone() -> None:
    image, label = PrepareClinicalBatch(0)(batch([0.5], [0.7]))
    assert (len(image), label.tolist()) == (2, [0, 1])
    without = batch([0.5])
    del without["label"]
    assert PrepareClinicalBatch()(without)[1] is None
    assert PrepareClinicalBatch(1)(without)[1] is None


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (None, "there are no clinical values, and the network takes 2"),
        ([0.5], "there are 1 clinical values, and the network takes 2"),
        ([0.5, 0.5, 0.5], "there are 3 clinical values"),
        ([0.5, float("nan")], "a clinical value is no finite number"),
    ],
)
def test_missing_or_other_values_are_refused_with_the_subjects(values: Any, told: str) -> None:
    given = batch([0.0], [0.0]) if values is None else batch(values, values)
    if values is None:
        del given["clinical"]
    with pytest.raises(DatasetError, match=told) as caught:
        PrepareClinicalBatch(2)(given)
    assert caught.value.problems[0].where == "P0, P1"
