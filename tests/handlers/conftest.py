from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.short_reports import SHUFFLES, blank_pictures, drawn, shorten_reports  # noqa: F401


@pytest.fixture(scope="module", autouse=True)
def short_reports() -> Iterator[None]:
    """The probe and the ROC curves have tests of their own."""
    with shorten_reports(shuffles=9):
        yield


@pytest.fixture
def enough_shuffles() -> Iterator[None]:
    """For a shortcut to be found."""
    with shorten_reports(SHUFFLES):
        yield
