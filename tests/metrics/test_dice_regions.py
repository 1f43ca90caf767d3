from __future__ import annotations

import torch

from common.metrics.dice import to_regions


def test_nested_regions_of_each_class() -> None:
    found = to_regions(torch.tensor([0, 1, 2, 3]))
    assert found.dtype == torch.bool
    assert found.int().tolist() == [[0, 1, 1, 1], [0, 1, 0, 1], [0, 0, 0, 1]]


def test_the_regions_dimension_goes_where_it_is_asked() -> None:
    classes = torch.randint(0, 4, (2, 3, 4, 5))
    found = to_regions(classes, dim=1)
    assert found.shape == (2, 3, 3, 4, 5)
    assert torch.equal(found[:, 2], classes == 3)
