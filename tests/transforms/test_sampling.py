from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.data import Dataset

from common.errors import DatasetError, KnobError
from common.transforms.sampling import epoch_sampler, tumour_weights


def items(with_tumour: int, without: int) -> list[dict[str, Any]]:
    return [{"tumour": True}] * with_tumour + [{"tumour": False}] * without


def test_weights_by_hand() -> None:
    assert tumour_weights(items(2, 4), 0.5) == [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    assert tumour_weights(items(2, 1), 1) == [0.5, 0.5, 0]
    assert tumour_weights(items(2, 1), 0) == [0, 0, 1]
    assert sum(tumour_weights(items(7, 90), 0.7)) == pytest.approx(1)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_the_share_is_kept_whatever_the_data_set_has(share: float) -> None:
    torch.manual_seed(0)
    dataset = Dataset(items(50, 950))
    drawn = list(epoch_sampler(dataset, 20_000, share, seed=3))
    assert len(drawn) == 20_000
    # Four standard deviations of a binomial draw are 0.013 at most.
    assert sum(index < 50 for index in drawn) / 20_000 == pytest.approx(share, abs=0.013)
    assert len(set(drawn)) > 900


@pytest.mark.parametrize(("share", "expected"), [(0, False), (1, True)])
def test_all_or_none(share: float, expected: bool) -> None:
    data = items(3, 5)
    assert {data[index]["tumour"] for index in epoch_sampler(Dataset(data), 400, share)} == {expected}


@pytest.mark.parametrize("slices", [None, 30])
def test_seed_and_epoch_decide_the_order(slices: int | None) -> None:
    def draw(seed: int, epoch: int) -> list[int]:
        torch.manual_seed(0)
        sampler = epoch_sampler(Dataset(items(10, 20)), slices, 0.5, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert draw(0, 1) == draw(0, 1)
    assert draw(0, 1) != draw(0, 2)
    assert draw(0, 1) != draw(5, 1)


def test_without_a_number_every_slice_is_shown_once() -> None:
    assert sorted(epoch_sampler(Dataset(items(3, 8)))) == list(range(11))


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_wrong_share_is_refused(share: float) -> None:
    with pytest.raises(KnobError, match="--tumour_share"):
        tumour_weights(items(1, 1), share)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DatasetError, match="no slice of the training side shows tumour"):
        tumour_weights(items(0, 5), 0.5)
    with pytest.raises(DatasetError, match="every slice of the training side shows tumour"):
        tumour_weights(items(5, 0), 0)
    assert tumour_weights(items(0, 4), 0) == [0.25] * 4
