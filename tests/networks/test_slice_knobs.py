from __future__ import annotations

from typing import Any

import pytest

from common.errors import KnobError
from common.networks.slice_knobs import SliceKnobs, channels_of

GOOD: dict[str, Any] = {
    "net": "A",
    "image_size": [64, 32],
    "filters": 8,
    "kernel": 3,
    "dropout": 0,
    "units": [16],
    "backbone": "resnet18",
    "trainable": "head",
}


def test_numbers_and_lists_may_come_as_text() -> None:
    told = SliceKnobs.read(**{name: str(value) for name, value in GOOD.items()})
    assert told == SliceKnobs.read(**GOOD) == SliceKnobs("A", (64, 32), 8, 3, 0.0, (16,), "resnet18", "head")


@pytest.mark.parametrize(("net", "channels"), [("A", 1), ("B", 3)])
def test_grey_for_net_a_and_rgb_for_net_b(net: str, channels: int) -> None:
    assert SliceKnobs.read(**{**GOOD, "net": net}).in_channels == channels_of(net) == channels


WRONG = {
    "net": "C",
    "image_size": [64, 31],
    "filters": 0,
    "kernel": 4,
    "dropout": 1,
    "units": [16, 0.5],
    "trainable": "some",
}


@pytest.mark.parametrize("name", WRONG)
def test_each_knob_without_a_meaning_is_named(name: str) -> None:
    with pytest.raises(KnobError) as caught:
        SliceKnobs.read(**{**GOOD, name: WRONG[name]})
    (problem,) = caught.value.problems
    assert problem.where == f"--{name}"
    assert repr(WRONG[name]) in problem.what


@pytest.mark.parametrize(
    ("name", "value"),
    [("image_size", [64, 64, 64]), ("image_size", 64), ("kernel", 2.5), ("dropout", True), ("dropout", -0.1)],
)
def test_other_values_without_a_meaning(name: str, value: Any) -> None:
    with pytest.raises(KnobError, match=f"--{name}"):
        SliceKnobs.read(**{**GOOD, name: value})


def test_all_are_told_at_once_and_a_backbone_only_where_there_is_one() -> None:
    unknown = {**GOOD, **WRONG, "backbone": "nothing_of_timm"}
    with pytest.raises(KnobError) as caught:
        SliceKnobs.read(**unknown)
    assert [problem.where for problem in caught.value.problems] == [f"--{name}" for name in WRONG]
    with pytest.raises(KnobError) as caught:
        SliceKnobs.read(**{**GOOD, "net": "B", "backbone": "nothing_of_timm"})
    assert [problem.where for problem in caught.value.problems] == ["--backbone"]
    with pytest.raises(KnobError, match="--net"):
        channels_of("C")
