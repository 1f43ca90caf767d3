from __future__ import annotations

import pytest
import torch
from monai.data import DataLoader, MetaTensor, get_track_meta
from monai.transforms import Compose, Identity, RandScaleIntensity, SpatialPad

from common.transforms import TrainingDataset

ITEMS = [torch.ones(1, 2, 2)] * 4


def epochs(dataset: TrainingDataset, seeds: list[int], workers: int) -> list[list[float]]:
    loader = DataLoader(dataset, batch_size=1, num_workers=workers, persistent_workers=workers > 0)
    drawn = []
    for seed in seeds:
        dataset.start_epoch(seed)
        drawn.append([float(batch[0, 0, 0, 0]) for batch in loader])
    return drawn


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_draws_by_its_seed_alone_whatever_went_before(workers: int) -> None:
    random = Compose([RandScaleIntensity(0.5, prob=1.0)])
    first, second, again = epochs(TrainingDataset(ITEMS, random), [7, 8, 7], workers)
    alone = epochs(TrainingDataset(ITEMS, random), [8], workers)[0]
    assert first == again
    assert second == alone
    assert not set(first) & set(second)
    assert len(set(first)) == len(ITEMS)


def test_processes_draw_differently() -> None:
    """With one stream for both, the first items of two processes would be alike."""
    first = epochs(TrainingDataset(ITEMS, Compose([RandScaleIntensity(0.5, prob=1.0)])), [7], workers=2)[0]
    assert first[0] != first[1]


def test_tensors_have_no_metadata_on_their_way_and_others_keep_theirs() -> None:
    seen: list[type] = []
    pad = SpatialPad([4, 4])
    transform = Compose([pad, lambda image: seen.append(type(image)) or image])
    image = TrainingDataset(ITEMS, transform)[0]
    assert image.shape == (1, 4, 4)
    assert seen == [torch.Tensor]
    assert get_track_meta()
    assert isinstance(pad(ITEMS[0]), MetaTensor)


def test_metadata_are_tracked_again_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="applying transform"):
        TrainingDataset([0], Compose([Identity(), lambda item: 1 // item]))[0]
    assert get_track_meta()
