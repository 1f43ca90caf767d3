from __future__ import annotations

from typing import Any

import pytest

from common.cohorts.features import parse_features, parse_given
from common.errors import KnobError


@pytest.mark.parametrize(
    ("asked", "features"),
    [
        (["resection", "age"], ("age", "resection")),
        ("resection, Age", ("age", "resection")),
        (("age",), ("age",)),
        ("age,age", ("age",)),
        ([], ()),
        ("", ()),
        (None, ()),
        (False, ()),
    ],
)
def test_features_arrive_as_lists_or_as_text(asked: Any, features: tuple[str, ...]) -> None:
    assert parse_features(asked) == features


def test_unknown_features_are_named_together() -> None:
    with pytest.raises(KnobError, match=r"sex, kps is not a clinical feature\. Choose one or more of age, resection"):
        parse_features("age,sex,kps")


def test_what_was_said_of_one_patient() -> None:
    assert parse_given({"age": 61, "resection": "gtr"}) == {"age": 61.0, "resection": "GTR"}
    assert parse_given({"age": "61.5", "resection": None}) == {"age": 61.5}
    assert parse_given({"age": "NA", "resection": ""}) == {}
    assert parse_given(None) == {}


@pytest.mark.parametrize("age", ["sixty", -3, 0, 120.5, "inf", True])
def test_ages_that_mean_nothing(age: Any) -> None:
    with pytest.raises(KnobError) as caught:
        parse_given({"age": age})
    (problem,) = caught.value.problems
    assert problem.where == "--age"
    assert f"'{age}' is not a" in problem.what


def test_all_values_that_mean_nothing_are_told_at_once() -> None:
    with pytest.raises(KnobError) as caught:
        parse_given({"age": -1, "resection": "partial"})
    assert [problem.where for problem in caught.value.problems] == ["--age", "--resection"]
    assert "'partial' is not GTR or STR" in str(caught.value)
