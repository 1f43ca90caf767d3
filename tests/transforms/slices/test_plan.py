from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.errors import DatasetError, KnobError
from common.transforms.geometry import BrainGeometry
from common.transforms.intensity import z_score_in_brain
from common.transforms.reading import read_checked
from common.transforms.slices.plan import SlicePlan, slice_positions, take_slices

Writer = Callable[..., dict[str, Any]]

TURN = ((0, 1), (1, 1), (2, 1))


def geometry(first: int, end: int, depth: int = 155, thickness: float = 1.0) -> BrainGeometry:
    return BrainGeometry((240, 240, depth), (40, 30, first), (200, 210, end), TURN, (1.0, 1.0, thickness))


def read(record: dict[str, Any]) -> tuple[list[np.ndarray], np.ndarray]:
    channels, _, affine = read_checked(record, ("flair", "t1", "t1ce", "t2"))
    return channels, affine


@pytest.mark.parametrize(
    ("plan", "brain", "expected"),
    [
        (SlicePlan(), geometry(10, 141), [45, 75, 105]),
        (SlicePlan(), geometry(10, 142), [46, 76, 106]),  # the middle is 75.5: halves go up, the distance stays
        (SlicePlan(gap=29), geometry(10, 142), [47, 76, 105]),
        (SlicePlan(centre=7), geometry(10, 141), [52, 82, 112]),
        (SlicePlan(centre=-7.4), geometry(10, 141), [38, 68, 98]),
        (SlicePlan(count=1), geometry(10, 141), [75]),
        (SlicePlan(count=4, gap=20), geometry(10, 141), [45, 65, 85, 105]),
        (SlicePlan(), geometry(4, 57, 60, 2.5), [18, 30, 42]),
        (SlicePlan(centre_of="volume"), geometry(20, 155), [47, 77, 107]),
        (SlicePlan(centre_of="volume"), geometry(60, 90), [47, 77, 107]),
    ],
)
def test_where_the_slices_lie_by_hand(plan: SlicePlan, brain: BrainGeometry, expected: list[int]) -> None:
    assert slice_positions(brain, plan, "p1") == expected


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (SlicePlan(gap=70), "slices at -70, +70 mm from the centre of the brain lie outside it (it reaches 66 mm"),
        (SlicePlan(centre=40), "slices at +70 mm from the centre of the brain"),
        (SlicePlan(gap=78, centre_of="volume"), "slices at -78, +78 mm from the centre of the volume"),
    ],
)
def test_a_slice_outside_is_told_in_millimetres(plan: SlicePlan, told: str) -> None:
    with pytest.raises(DatasetError) as caught:
        slice_positions(geometry(10, 141), plan, "p1")
    message = str(caught.value)
    assert message.startswith(f"p1: {told}")
    assert "--slice_gap" in message
    assert "--slice_centre" in message


def test_the_outermost_slices_of_the_brain_are_inside() -> None:
    assert slice_positions(geometry(10, 141), SlicePlan(gap=65), "p1") == [10, 75, 140]
    with pytest.raises(DatasetError):
        slice_positions(geometry(10, 141), SlicePlan(gap=66), "p1")


@pytest.mark.parametrize(
    ("settings", "knobs"),
    [
        ({"gap": 0}, ["--slice_gap"]),
        ({"gap": float("nan"), "count": 0}, ["--slice_count", "--slice_gap"]),
        ({"centre": float("inf")}, ["--slice_centre"]),
        (
            {"intensity": "raw", "orientation": "SAR", "centre_of": "head"},
            ["--intensity", "--orientation", "--centre_of"],
        ),
    ],
)
def test_settings_without_meaning(settings: dict[str, Any], knobs: list[str]) -> None:
    with pytest.raises(KnobError) as caught:
        SlicePlan(**settings)
    assert [problem.where for problem in caught.value.problems] == knobs


def test_whole_slices_in_ras_scaled_by_the_whole_brain(write_record: Writer) -> None:
    channels, affine = read(write_record())
    slices, positions, brain = take_slices(channels, affine, SlicePlan(gap=3), "p1")
    assert positions == [3, 6, 9]
    assert slices.dtype == np.float16
    assert slices.shape == (4, 3, 24, 20)
    assert (brain.start, brain.stop) == ((4, 3, 2), (16, 21, 10))
    for planes, channel in zip(slices, channels, strict=True):
        ras = z_score_in_brain(channel[::-1, ::-1])  # stored in LPS
        for plane, position in zip(planes, positions, strict=True):
            np.testing.assert_array_equal(plane, ras[:, :, position].T)
    assert abs(float(slices[0].astype(float).std()) - 1) > 1e-3, "scaled by the slices, not by the brain"


@pytest.mark.parametrize("intensity", ["z_score", "clip"])
@pytest.mark.parametrize("orientation", ["RAS", "PSR", "ILA"])
def test_the_orientation_of_storage_makes_no_difference(write_record: Writer, orientation: str, intensity: str) -> None:
    plan = SlicePlan(gap=3, intensity=intensity)
    expected, _, _ = take_slices(*read(write_record("a")), plan, "a")
    found, positions, _ = take_slices(*read(write_record("b", orientation=orientation)), plan, "b")
    np.testing.assert_array_equal(found, expected)
    assert positions == [3, 6, 9]


def test_another_working_orientation_is_mirrored(write_record: Writer) -> None:
    channels, affine = read(write_record())
    ras, _, _ = take_slices(channels, affine, SlicePlan(gap=3), "p1")
    lps, _, _ = take_slices(channels, affine, SlicePlan(gap=3, orientation="LPS"), "p1")
    np.testing.assert_array_equal(lps, ras[..., ::-1, ::-1])


def test_upwards_is_towards_superior_however_it_is_stored(write_record: Writer) -> None:
    marked = np.zeros((20, 24, 12), np.int16)
    marked[4:16, 3:21, 2:10] = 100
    marked[4:16, 3:21, 9] = 700  # the top of the brain: S grows along the third axis of LPS
    record = write_record(orientation="LPI", replace={"flair": marked})
    assert nib.aff2axcodes(nib.load(record["flair"]).affine)[2] == "I"
    channels, affine = read(record)
    plan = SlicePlan(gap=1, count=1, centre=3, intensity="clip")
    (flair, *_), (position,), _ = take_slices(channels, affine, plan, "p1")
    assert position == 9
    assert flair.max() == np.float16((700 + 1000) / 1800)


def test_the_published_scaling_by_hand() -> None:
    volume = np.zeros((4, 5, 3), np.float32)
    volume[1, 1, 1], volume[2, 2, 1], volume[3, 3, 1] = -5000, 800, 9000
    volume[0, 4, 1] = -100
    plan = SlicePlan(count=1, intensity="clip", orientation="RAS", centre_of="volume")
    (((plane,),), _, _) = take_slices([volume], np.eye(4), plan, "p1")
    assert plane.dtype == np.float16
    assert plane[0, 0] == np.float16(0.5556)
    assert (plane[1, 1], plane[2, 2], plane[3, 3], plane[4, 0]) == (0, 1, 1, 0.5)


def test_slices_of_the_volume_above_the_brain_are_background(write_record: Writer) -> None:
    channels, affine = read(write_record())
    plan = SlicePlan(gap=1, count=1, centre=5, centre_of="volume")
    slices, positions, _ = take_slices(channels, affine, plan, "p1")
    assert positions == [11]
    assert not slices.any()


def test_nothing_but_zeros() -> None:
    with pytest.raises(DatasetError, match="p1: every voxel is zero"):
        take_slices([np.zeros((3, 3, 3))], np.eye(4), SlicePlan(gap=1), "p1")
