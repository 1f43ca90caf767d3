from __future__ import annotations

from typing import Any

import pytest

from common.errors import KnobError
from common.networks import FusionClassifier
from common.networks.fusion_knobs import FusionKnobs

GOOD: dict[str, Any] = {
    "backbone": "densenet121",
    "in_channels": 12,
    "num_classes": 2,
    "in_clinical": 0,
    "units": (256, 256),
    "batch_norm": 1,
    "dropout": 0.3,
    "activation": "relu",
    "image_units": None,
    "clinical_units": (),
    "trainable": "all",
}


@pytest.mark.parametrize("units", [(64, 32), [64, 32], "[64, 32]", "(64,32)", "64,32"])
def test_widths_may_come_in_any_form(units: Any) -> None:
    assert FusionKnobs.read(**{**GOOD, "units": units}).units == (64, 32)


@pytest.mark.parametrize(("given", "read"), [(None, None), ("null", None), ("None", None), ("128", 128), (128, 128)])
def test_no_image_units_in_words(given: Any, read: int | None) -> None:
    assert FusionKnobs.read(**{**GOOD, "image_units": given}).image_units == read


@pytest.mark.parametrize("given", [[], "[]", None, "none", ()])
def test_no_clinical_units_in_words(given: Any) -> None:
    assert FusionKnobs.read(**{**GOOD, "clinical_units": given}).clinical_units == ()


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("in_channels", 0),
        ("in_channels", True),
        ("num_classes", 1),
        ("in_clinical", -1),
        ("units", [256]),
        ("units", [256, 0]),
        ("units", [256, 2.5]),
        ("units", "wide"),
        ("batch_norm", 3),
        ("batch_norm", "two"),
        ("dropout", 1.0),
        ("dropout", -0.1),
        ("dropout", "much"),
        ("dropout", None),
        ("activation", "gelu"),
        ("image_units", 0),
        ("clinical_units", [10, -1]),
        ("trainable", "tail"),
    ],
)
def test_a_value_without_meaning_names_its_knob(knob: str, value: Any) -> None:
    with pytest.raises(KnobError) as caught:
        FusionKnobs.read(**{**GOOD, knob: value})
    (problem,) = caught.value.problems
    assert problem.where == f"--{knob}"
    assert "is no choice" in problem.what


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(KnobError) as caught:
        FusionClassifier("densnet121", num_classes=1, units="wide", dropout=2, trainable="tail")
    assert [problem.where for problem in caught.value.problems] == [
        *("--backbone", "--num_classes", "--units", "--dropout", "--trainable")
    ]


def test_a_misspelt_backbone_is_told_with_near_names() -> None:
    with pytest.raises(KnobError, match=r"timm has no network 'densnet121'. Did you mean densenet121"):
        FusionKnobs.read(**{**GOOD, "backbone": "densnet121"})
