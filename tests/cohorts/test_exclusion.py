from __future__ import annotations

from collections.abc import Iterable

import pytest

from common.cohorts.exclusion import keep_scans, split_names
from common.errors import KnobError

SCANS = {"a-0": "a", "a-1": "a", "b": "b", "2013_10": "2013_10"}


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (None, ()),
        ("", ()),
        (" , ,", ()),
        ("a", ("a",)),
        (" b, a ,b", ("b", "a")),
        (["a", "a-1"], ("a", "a-1")),
        ([7, " 7 "], ("7",)),
    ],
)
def test_names_of_a_config_or_of_a_command(names: str | Iterable[str] | None, parts: tuple[str, ...]) -> None:
    assert split_names(names) == parts


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ((), list(SCANS)),
        (("a",), ["b", "2013_10"]),
        (("a-1",), ["a-0", "b", "2013_10"]),
        (("a", "a-0", "b"), ["2013_10"]),
    ],
)
def test_a_patient_goes_with_all_scans_and_a_scan_alone(excluded: tuple[str, ...], left: list[str]) -> None:
    assert keep_scans(SCANS, excluded) == left


def test_every_unknown_name_is_told_with_what_it_may_mean() -> None:
    with pytest.raises(KnobError) as caught:
        keep_scans(SCANS, ("a-2", "b", "zzzzzz"))
    near, far = caught.value.problems
    assert "'a-2'" in near.what and "a-0" in near.hint and "a-1" in near.hint
    assert "'zzzzzz'" in far.what and min(SCANS) in far.hint
    with pytest.raises(KnobError, match="No patient was found"):
        keep_scans({}, ("a",))
