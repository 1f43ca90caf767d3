from __future__ import annotations

import pytest

import common.cohorts
from common.former_names import former_names


def test_a_new_name_in_the_same_package_works() -> None:
    assert former_names("common.cohorts", {"read_all": "read_cohort"})("read_all") is common.cohorts.read_cohort


def test_what_moved_away_names_its_place() -> None:
    with pytest.raises(AttributeError, match=r"common\.cohorts\.group_copies is now common\.copies\.group_copies"):
        common.cohorts.group_copies  # noqa: B018


def test_what_never_was_is_told_as_ever() -> None:
    with pytest.raises(AttributeError, match=r"module 'common\.cohorts' has no attribute 'nothing'"):
        common.cohorts.nothing  # noqa: B018
