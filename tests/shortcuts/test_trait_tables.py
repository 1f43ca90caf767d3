from __future__ import annotations

from typing import Any

import numpy as np

from common.shortcuts.trait_tables import trait_tables


def patient(number: int, source: str = "one", **values: Any) -> dict[str, Any]:
    return {"subject": f"P{number}", "source": source, "grade": "HGG", **values}


def test_both_sides_share_their_columns() -> None:
    """Sources one and two become a column each, alike for the same source on either side."""
    train = [patient(1), patient(2), patient(3, "two"), patient(4, "two")]
    known, unseen = trait_tables(train, [patient(5, "two"), patient(6)], "grade")
    assert known.shape == (4, 2)
    assert np.array_equal(unseen[0], known[2])
    assert np.array_equal(unseen[1], known[0])
    assert not np.array_equal(unseen[0], unseen[1])


def test_which_values_were_recorded_is_left_to_its_own_baseline() -> None:
    train = [patient(1, age=40.0), patient(2, age=None), patient(3, seg="mask.nii.gz")]
    known, unseen = trait_tables(train, [patient(4, age=50.0)], "grade")
    assert (known.shape, unseen.shape) == ((3, 0), (1, 0))


def test_a_row_does_not_depend_on_who_else_is_judged() -> None:
    train = [patient(1, age=40.0), patient(2), patient(3, "two", age=60.0), patient(4, "two", age=50.0)]
    judged = patient(5, "two")
    known, alone = trait_tables(train, [judged], "grade")
    among, unseen = trait_tables(train, [judged, patient(6, "three", age=90.0), patient(7, "three", age=20.0)], "grade")
    assert known.shape[1] == 2
    assert np.array_equal(known, among)
    assert np.array_equal(alone[0], unseen[0])


def test_without_training_patients_there_is_nothing_to_tell_by() -> None:
    known, unseen = trait_tables([], [patient(1), patient(2, "two")], "grade")
    assert (known.shape, unseen.shape) == ((0, 0), (2, 0))
