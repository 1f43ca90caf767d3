from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from common.phantoms.layouts.dicom_study import FIRST_NUMBER, SERIES, write_series
from common.studies import SeriesRule, Study, read_rules, read_study

RULES = Path(__file__).resolve().parents[2] / "apps" / "monai_deploy" / "series_rules.json"
SHAPE = (12, 10, 6)

WriteStudy = Callable[..., Path]


def some_brain(name: str) -> NDArray[np.int16]:
    """Something in the middle that differs between series, 0 around it."""
    volume = np.zeros(SHAPE, np.int16)
    volume[3:9, 3:7, 1:5] = np.random.default_rng(len(name)).integers(1, 900, (6, 4, 4))
    return volume


@pytest.fixture
def write_study() -> WriteStudy:
    """Writes a small study; ``series`` names some of the four, the rest belongs to each of them."""

    def write(
        folder: Path,
        series: Iterable[str] = tuple(SERIES),
        study: str = "p01",
        voxels: NDArray[np.int16] | None = None,
        number: int | None = None,
        **tags: str,
    ) -> Path:
        for place, (name, description) in enumerate(SERIES.items(), FIRST_NUMBER):
            if name in series:
                array = some_brain(name) if voxels is None else voxels
                own = number or place
                named = {"|".join((key[1:5], key[5:])): value for key, value in tags.items()}
                write_series(folder / f"{study}-{own}", array, own, f"{study}/{name}{own}", description, named)
        return folder

    return write


@pytest.fixture(scope="session")
def rules() -> tuple[SeriesRule, ...]:
    """Those of the application."""
    return read_rules(RULES)


@pytest.fixture
def study(tmp_path: Path, write_study: WriteStudy, rules: tuple[SeriesRule, ...]) -> Study:
    """A study as the bundles want it."""
    return read_study(write_study(tmp_path / "study"), rules, ("flair", "t1", "t1ce", "t2"))
