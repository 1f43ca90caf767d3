from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import compute_surface_dice
from scipy.ndimage import gaussian_filter

from common.metrics import brats_measures
from common.metrics.brats_measures import judge_regions

EMPTY = np.zeros((8, 8, 8), dtype=np.uint8)


def cube(value: int, start: int, stop: int) -> np.ndarray:
    volume = EMPTY.copy()
    volume[start:stop, 2:4, 2:4] = value
    return volume


def blobs(seed: int) -> np.ndarray:
    """A random nested tumour somewhere in a larger volume."""
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(40, 36, 20)), 3)
    return np.digitize(smooth, np.quantile(smooth, [0.9, 0.94, 0.97])).astype(np.uint8)


def of_brats(measured: dict[str, float]) -> tuple[float, float]:
    """Dice and HD95, whatever else is measured."""
    return measured["dice"], measured["hd95"]


def test_a_perfect_segmentation() -> None:
    truth = blobs(0)
    found = judge_regions(truth, truth)
    assert {region: of_brats(measured) for region, measured in found.items()} == dict.fromkeys(
        ("WT", "TC", "ET"), (1, 0)
    )


def test_hand_worked_dice_and_distance() -> None:
    """Bars of 2 x 2 x 2 and 3 x 2 x 2 voxels: Dice 2 * 8 / (8 + 12) = .8; the last slab is one voxel away.

    All voxels are surface. Of the longer bar's 12 distances 8 are 0 and 4 are 1, so the 95th percentile is 1.
    """
    found = judge_regions(cube(3, 2, 5), cube(3, 2, 4))
    for region in ("WT", "TC", "ET"):
        assert found[region]["dice"] == pytest.approx(0.8)
        assert found[region]["hd95"] == pytest.approx(1.0)


def test_a_cavity_is_a_region_of_its_own_and_no_tumour() -> None:
    found = judge_regions(cube(4, 2, 5), cube(4, 2, 4), classes=5)
    assert of_brats(found["RC"]) == pytest.approx((0.8, 1.0))
    assert {of_brats(found[region]) for region in ("WT", "TC", "ET")} == {(1.0, 0.0)}
    assert "RC" not in judge_regions(EMPTY, EMPTY)


def test_one_percentile_of_both_surfaces_together() -> None:
    """A line of 20 voxels, and one with two more at its end: of 42 distances 40 are 0, then come 1 and 2.

    The 95th percentile is at place .95 * 41 = 38.95: 0. Of the longer line alone it would be at .95 * 21 = 19.95: .95.
    """
    truth = np.zeros((24, 3, 3), dtype=np.uint8)
    truth[1:21, 1, 1] = 2
    prediction = truth.copy()
    prediction[21:23, 1, 1] = 2
    assert judge_regions(prediction, truth)["WT"]["hd95"] == 0.0
    further = prediction.copy()
    further[23, 1, 1] = 2  # 43 distances: 40 are 0, then 1, 2, 3; place .95 * 42 = 39.9
    assert judge_regions(further, truth)["WT"]["hd95"] == pytest.approx(0.9)


def test_distance_is_in_mm() -> None:
    found = judge_regions(cube(3, 2, 5), cube(3, 2, 4), spacing=(2.5, 1.0, 1.0))
    assert found["WT"]["hd95"] == pytest.approx(2.5)


def test_the_percentile_forgives_a_few_far_voxels() -> None:
    truth = np.zeros((40, 12, 12), dtype=np.uint8)
    truth[2:10, 2:10, 2:10] = 2
    prediction = truth.copy()
    prediction[39, 6, 6] = 2
    assert judge_regions(prediction, truth)["WT"]["hd95"] == 0.0


def test_classes_count_only_in_their_regions() -> None:
    """Oedema is whole tumour alone: with core and enhancing tumour empty in both they are right."""
    found = judge_regions(cube(2, 2, 5), cube(2, 2, 4))
    assert found["WT"]["dice"] == pytest.approx(0.8)
    assert of_brats(found["TC"]) == of_brats(found["ET"]) == (1, 0)
    swapped = judge_regions(cube(1, 2, 4), cube(2, 2, 4))
    assert of_brats(swapped["WT"]) == (1, 0)
    assert swapped["TC"]["dice"] == 0.0


@pytest.mark.parametrize(("prediction", "truth"), [(cube(3, 2, 4), EMPTY), (EMPTY, cube(3, 2, 4))])
def test_empty_in_one_of_them(prediction: np.ndarray, truth: np.ndarray) -> None:
    found = judge_regions(prediction, truth, spacing=(3.0, 3.0, 3.0))
    for region in ("WT", "TC", "ET"):
        assert (found[region]["dice"], found[region]["lesion_dice"], found[region]["nsd"]) == (0, 0, 0)
        assert found[region]["hd95"] == pytest.approx(373.12866, abs=1e-5)


def test_empty_in_both() -> None:
    found = judge_regions(EMPTY, EMPTY)["ET"]
    assert of_brats(found) == (1, 0)
    assert (found["lesion_dice"], found["nsd"]) == (1, 1)


def lesions(*boxes: tuple[int, int, int]) -> np.ndarray:
    """Bars of ET along x, from one place to another, so many voxels wide in y and z."""
    volume = np.zeros((40, 12, 12), dtype=np.uint8)
    for start, stop, width in boxes:
        volume[start:stop, 4 : 4 + width, 4 : 4 + width] = 3
    return volume


CUBE, FAR = (2, 6, 4), (20, 24, 4)
"""64 mm³ each, 14 voxels between them."""


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        pytest.param([CUBE, FAR], [CUBE, FAR], 1, id="both lesions"),
        pytest.param([CUBE], [CUBE, FAR], (1 + 0) / 2, id="one of two is missed"),
        pytest.param([CUBE, (22, 24, 4)], [CUBE, FAR], (1 + 2 / 3) / 2, id="half of the second is missed"),
        pytest.param([CUBE, (30, 31, 1)], [CUBE], (1 + 0) / 2, id="an island of one voxel"),
        pytest.param([CUBE, (30, 31, 1), (35, 36, 1)], [CUBE], (1 + 0 + 0) / 3, id="two islands"),
        pytest.param([CUBE, (9, 10, 1)], [CUBE], 1 / 2, id="four voxels from the lesion is an island"),
        pytest.param([CUBE, (8, 9, 1)], [CUBE], 2 * 64 / (64 + 65), id="three are not"),
        pytest.param([CUBE], [CUBE, (12, 16, 4)], 2 * 64 / (64 + 128), id="six voxels between are one lesion"),
        pytest.param([CUBE], [CUBE, (13, 17, 4)], 1 / 2, id="seven are two"),
        pytest.param([(2, 24, 4)], [CUBE, FAR], 2 * 64 / (64 + 352), id="a part that touches both counts with both"),
        pytest.param([CUBE], [CUBE, (20, 21, 7)], 1, id="a lesion of 49 mm³ is not judged"),
        pytest.param([CUBE, (21, 23, 1)], [CUBE, (20, 21, 7)], 1, id="nor is what touches it"),
        pytest.param([], [(20, 21, 7)], 1, id="nothing to judge"),
        pytest.param([(2, 3, 1)], [(20, 21, 7)], 0, id="an island alone"),
    ],
)
def test_lesion_wise_dice_by_hand(prediction: list, truth: list, expected: float) -> None:
    assert judge_regions(lesions(*prediction), lesions(*truth))["ET"]["lesion_dice"] == pytest.approx(expected)


def test_the_smallest_lesion_is_a_volume_not_a_number_of_voxels() -> None:
    prediction, truth = lesions(CUBE), lesions(CUBE, (20, 22, 5))
    assert judge_regions(prediction, truth)["ET"]["lesion_dice"] == 1, "50 mm³ are not more than 50"
    assert judge_regions(prediction, truth, (1.0, 1.0, 1.0 + 1e-7))["ET"]["lesion_dice"] == 1
    assert judge_regions(prediction, truth, (1.0, 1.0, 1.1))["ET"]["lesion_dice"] == 1 / 2


def test_islands_that_share_a_corner_are_one() -> None:
    prediction = lesions(CUBE)
    prediction[30, 4, 4] = prediction[31, 5, 5] = 3
    assert judge_regions(prediction, lesions(CUBE))["ET"]["lesion_dice"] == 1 / 2


@pytest.mark.parametrize(
    ("spacing", "expected"), [((1.0, 1.0, 1.0), 1.0), ((1.0000001, 1, 1), 1.0), ((1.1, 1, 1), 0.8), ((1, 1, 5), 1.0)]
)
def test_surface_dice_by_hand(spacing: tuple[float, ...], expected: float) -> None:
    """Bars of 3 x 2 x 2 and 2 x 2 x 2 voxels, all of them surface: 4 of 20 are one voxel along x from the other."""
    assert judge_regions(cube(3, 2, 5), cube(3, 2, 4), spacing)["ET"]["nsd"] == pytest.approx(expected)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.4, 1.0, 3.0)])
def test_surface_dice_is_that_of_monai(spacing: tuple[float, ...]) -> None:
    prediction, truth = blobs(3) > 0, blobs(4) > 0
    masks = (torch.from_numpy(mask[None, None]) for mask in (prediction, truth))
    theirs = compute_surface_dice(*masks, class_thresholds=[1.0], include_background=True, spacing=spacing)
    assert 0 < theirs.item() < 0.9
    assert judge_regions(2 * prediction, 2 * truth, spacing)["WT"]["nsd"] == pytest.approx(theirs.item(), abs=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_bounding_box_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    prediction, truth = np.pad(blobs(seed), 6), np.pad(blobs(seed + 10), 6)
    cropped = judge_regions(prediction, truth, (1.0, 1.5, 3.0))
    monkeypatch.setattr(brats_measures, "_bounding_box", lambda mask: (slice(None),) * mask.ndim)
    assert cropped == judge_regions(prediction, truth, (1.0, 1.5, 3.0))


def test_tensors_and_arrays_give_the_same() -> None:
    one, other = blobs(1), blobs(2)
    assert judge_regions(torch.from_numpy(one).long(), torch.from_numpy(other)) == judge_regions(one, other)


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"\(8, 8, 8\) and \(8, 8, 7\)"):
        judge_regions(EMPTY, EMPTY[..., :7])
