"""Keeping what a patient's header says out of logs and warnings."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LIBRARIES = ("pydicom", "highdicom")


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the warnings of pydicom and highdicom, which quote the values that they warn of, such as names."""
    from pydicom.config import disable_value_validation

    loggers = [logging.getLogger(name) for name in LIBRARIES]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        with warnings.catch_warnings(), disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
