from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from common.cohorts import read_cohort
from common.errors import DatasetError
from common.networks.inferers import FlipSliceInferer
from common.networks.predicted_masks import SegmentTumourd, predict_masks
from common.networks.unet import SegmentationUNet
from common.networks.weights.recorded import slice_size_of, standardised_by
from common.records import MODALITIES
from common.transforms.brain.cache import prepare_brains
from common.transforms.brain.inference import PrepareBraind
from common.transforms.loading import LoadImageModalitiesd
from common.transforms.masks.inference import MaskBagd
from common.transforms.masks.items import LoadMaskSliced, mask_items


class Threshold(torch.nn.Module):
    """Calls a pixel ET where the first channel's z-score is above ``level``."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = level

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        above = (image[:, :1] > self.level).float()
        nothing = torch.zeros_like(above)
        return torch.cat([1 - above, nothing, nothing, above], dim=1)


@pytest.fixture
def records(phantom_dir: Path) -> list[dict[str, Any]]:
    return read_cohort(phantom_dir)[:2]


@pytest.fixture
def cases(records: list[dict[str, Any]], cache_dir: Path) -> list[dict[str, Any]]:
    return prepare_brains(records, cache_dir)


def test_predicted_masks_take_the_place_of_the_true_ones(cases: list[dict[str, Any]], tmp_path: Path) -> None:
    part = [{**cases[0], "slices": [3]}, {**cases[1], "scan": "second"}]
    network = Threshold(1.5).train()
    first, second = predict_masks(part, network, FlipSliceInferer(), tmp_path)
    assert first["cached_mask"] == str(tmp_path / f"{cases[0]['subject']}.npy")
    assert second["cached_mask"] == str(tmp_path / "second.npy")
    expected = np.where(np.load(cases[0]["cached"])[:, 0].astype(np.float32) > 1.5, 3, 0)
    found = np.load(first["cached_mask"])
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)
    start, stop = first["geometry"]["start"][2], first["geometry"]["stop"][2]
    assert [voxels[2] for voxels in first["tumour_voxels"][start:stop]] == (expected == 3).sum(axis=(1, 2)).tolist()
    assert first["tumour_ml"] == pytest.approx(
        np.count_nonzero(expected) * np.prod(first["geometry"]["spacing"]) / 1000
    )
    assert first["slices"] == [3]
    assert cases[0]["cached_mask"] != first["cached_mask"]


def test_a_network_that_finds_nothing_keeps_the_patient(
    cases: list[dict[str, Any]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        (case,) = predict_masks(cases[:1], Threshold(1e6), FlipSliceInferer(), tmp_path)
    assert f"finds no tumour in {case['subject']}" in caplog.text
    assert case["tumour_ml"] == 0
    assert not np.any(case["tumour_voxels"])
    assert len(mask_items([case])) == case["geometry"]["shape"][2]


def test_voxels_of_another_size_than_the_checkpoints(cases: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as caught:
        predict_masks(cases, Threshold(1), FlipSliceInferer(), tmp_path / "out", {"spacing": [3, 3, 3]})
    assert len(caught.value.problems) == 2
    assert not (tmp_path / "out").exists()


def test_whole_slices_are_segmented_at_the_size_that_the_network_was_trained_on(
    cases: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Also those outside the brain's box, and what is outside the box in the others."""
    shapes: set[tuple[int, ...]] = set()

    class Backwards(Threshold):
        """Calls what is dark tumour, the background too."""

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            shapes.add(tuple(image.shape[2:]))
            return super().forward(-image)

    inferer = FlipSliceInferer(slice_size=[96, 80])
    (case,) = predict_masks(cases[:1], Backwards(-0.5), inferer, tmp_path, {"slice_size": [96, 80]})
    assert shapes == {(96, 80)}
    shape = cases[0]["geometry"]["shape"]
    assert (case["geometry"]["start"], case["geometry"]["stop"]) == ((0, 0, 0), tuple(shape))
    found = np.load(case["cached_mask"])
    assert found.shape == tuple(shape[::-1])
    assert (found[:, 0, 0] == 3).all()  # background, which this network calls tumour, in slices without brain too
    assert [sum(voxels) for voxels in case["tumour_voxels"]] == (found > 0).sum(axis=(1, 2)).tolist()
    (item,) = mask_items([{**case, "slices": [0]}], empty_slices=True)
    assert LoadMaskSliced()(item)["image"].shape == (3, *shape[:2])


@pytest.mark.parametrize(
    "recorded", [{}, {"slice_size": [96, 80]}, {"slice_size": [96, 80], "settings": {"standardise_by": "slice"}}]
)
@pytest.mark.parametrize("network", [lambda: Threshold(1.5), SegmentationUNet])
def test_inference_makes_the_masks_that_an_evaluation_makes(
    records: list[dict[str, Any]],
    cache_dir: Path,
    tmp_path: Path,
    network: Callable[[], torch.nn.Module],
    recorded: dict[str, Any],
) -> None:
    torch.manual_seed(0)
    model = network()
    standardise_by, size = standardised_by(recorded), slice_size_of(recorded)
    inferer = FlipSliceInferer(slice_batch_size=8, slice_size=size)
    cases = prepare_brains(records[:1], cache_dir, standardise_by=standardise_by)
    (case,) = predict_masks(cases, model, inferer, tmp_path, recorded)
    item = {key: records[0][key] for key in ("subject", *MODALITIES)}
    prepare = PrepareBraind(standardise_by=standardise_by, whole=bool(size))
    item = SegmentTumourd(model, inferer)(prepare(LoadImageModalitiesd()(item)))
    assert not model.training
    assert tuple(item["mask"].shape) == tuple(case["geometry"]["shape"])
    bag = MaskBagd()(item)
    singles = mask_items([case])
    assert bag["slices"].tolist() == [single["slice"] for single in singles]
    assert torch.equal(bag["image"], torch.stack([LoadMaskSliced()(single)["image"] for single in singles]))
