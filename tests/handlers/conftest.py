from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.short_reports import shorten_reports


@pytest.fixture(scope="module", autouse=True)
def short_reports() -> Iterator[None]:
    """The probe and the ROC curves have tests of their own."""
    with shorten_reports():
        yield
