from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from common.errors import DatasetError
from common.transforms.brain.cache import prepare_brains
from common.transforms.masks.cache import prepare_masks

Writer = Callable[..., dict[str, Any]]


def test_masks_alone_read_no_image(write_record: Writer, tmp_path: Path) -> None:
    record = write_record(orientation="RAI")
    (whole,) = prepare_brains([record], tmp_path / "cache")
    for name in ("flair", "t1", "t1ce", "t2"):
        Path(record[name]).write_bytes(b"no image")
    (case,) = prepare_masks([record], tmp_path / "cache")
    assert case["cached"] is None
    assert case["tumour_voxels"] == whole["tumour_voxels"]
    assert case["geometry"]["shape"] == whole["geometry"]["shape"]
    assert (case["geometry"]["start"], case["geometry"]["stop"]) == ([6, 8, 4], [12, 15, 8])
    np.testing.assert_array_equal(np.load(case["cached_mask"]), np.load(whole["cached_mask"])[2:6, 5:12, 2:8])
    assert np.load(case["cached_mask"]).shape == (4, 7, 6)


def test_masks_alone_of_a_record_with_one_image_file(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    (case,) = prepare_masks([{**record, "image": "nowhere.nii.gz"}], tmp_path / "cache")
    assert np.load(case["cached_mask"]).any()


def test_masks_that_are_empty_missing_or_strange_are_told_at_once(write_record: Writer, tmp_path: Path) -> None:
    empty = write_record("p1", replace={"seg": np.zeros((20, 24, 12), np.uint8)})
    without = {**write_record("p2"), "seg": None}
    strange = write_record("p3", replace={"seg": np.full((20, 24, 12), 7, np.uint8)})
    with pytest.raises(DatasetError) as caught:
        prepare_masks([empty, without, strange], tmp_path / "cache")
    told = [str(problem) for problem in caught.value.problems]
    assert len(told) == 3
    assert "the mask is empty" in told[0]
    assert "(patient p1)" in told[0]
    assert told[1].startswith("p2: there is no mask")
    assert "unknown labels: 7" in told[2]
