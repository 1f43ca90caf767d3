from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from common.phantoms.writing.dicom_writer import write_slice
from common.transforms.series.inference import TakeSeriesd


def write_series(folder: Path, places: Iterable[int]) -> dict[str, str]:
    random = np.random.default_rng(1)
    for place in places:
        pixels = random.integers(0, 900, (12, 10)).astype(np.int16)
        write_slice(folder / f"{place}.dcm", pixels, (0, 0, place), (1, 1), "a", number=place)
    return {"subject": "p1", "flair": str(folder)}


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (range(9), []),
        ([0, 1, 2, 5, 6, 7, 8], ["p1 lacks slices between others (2 of flair); those that are there are used"]),
        ([4], ["p1 gives 1 of 3 slices: its series have no more"]),
    ],
)
def test_a_series_that_is_not_whole_is_told(tmp_path, caplog, places, told):
    TakeSeriesd(["flair"], 3, size=(4, 4), central_share=0.9)(write_series(tmp_path / "s", places))
    assert caplog.messages == told
