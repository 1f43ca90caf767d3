"""What takes longest in a report, and has tests of its own, is done less often in tests of what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

SHUFFLES = 100
"""Of the labels, for the question what else predicts them: the fewest with which an answer is significant."""

RESAMPLES = 10
"""For the band of a ROC curve."""


@contextmanager
def shorten_reports(shuffles: int = SHUFFLES) -> Iterator[pytest.MonkeyPatch]:
    """Few shuffles and few resamples, until the end of the block."""
    from common.metrics import roc
    from common.shortcuts import probe

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probe, "SHUFFLES", shuffles)
        patch.setattr(roc, "CURVE_RESAMPLES", RESAMPLES)
        yield patch


@pytest.fixture
def drawn() -> None:
    """Of a test whose pictures are looked at, or one for all that draws them."""


@pytest.fixture(autouse=True)
def blank_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures stay blank, which saves most of a small report's time, unless a test asks to have them :func:`drawn`.

    For a folder's ``conftest.py`` to import.
    """
    from matplotlib.figure import Figure

    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(Figure, "draw", lambda *_: None)
