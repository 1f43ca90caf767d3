from __future__ import annotations

from collections.abc import Iterator

import pytest
from joblib import parallel_config


@pytest.fixture(autouse=True)
def in_threads() -> Iterator[None]:
    """A handful of pictures is compared without processes, whose start takes most of the time."""
    with parallel_config(backend="threading"):
        yield
