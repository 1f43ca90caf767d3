from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.cache_folder import cache_size, clear_cache
from common.transforms.brain.cache import prepare_brains
from common.transforms.cases import common_spacing, tumour_millilitres
from common.transforms.masks.cache import prepare_masks
from common.transforms.slices.cache import prepare_slices

Writer = Callable[..., dict[str, Any]]


def test_the_common_spacing_is_the_median_along_each_axis() -> None:
    sizes = [(1, 2, 3), (1.2, 2.04996, 3), (0.9, 2.1, 9)]
    assert common_spacing([{"geometry": {"spacing": size}} for size in sizes]) == [1.0, 2.05, 3.0]
    assert common_spacing([]) == []


def test_the_cache_tells_where_it_is_and_is_freed(
    write_record: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cache"
    with caplog.at_level(logging.INFO):
        prepare_brains([write_record()], folder)
    assert f"1 cases are prepared in {folder}" in caplog.text
    (folder / "mine.txt").write_text("not of the cache")
    held = cache_size(folder)
    assert held > 8 * 4 * 18 * 12 * 2
    assert clear_cache(folder) == held - len("not of the cache")
    assert [entry.name for entry in folder.iterdir()] == ["mine.txt"]
    assert clear_cache(tmp_path / "nowhere") == 0


def test_every_kind_of_case_is_freed(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    cases = prepare_brains([record], tmp_path) + prepare_masks([record], tmp_path)
    cases += prepare_slices([record], tmp_path, gap=2)
    kinds = {Path(case["cached"] or case["cached_mask"]).parent.name.partition("-")[0] for case in cases}
    assert kinds == {"case", "masks", "slices"}
    assert clear_cache(tmp_path) > 0
    assert not [path for path in tmp_path.iterdir() if path.name.partition("-")[0] in kinds]


def test_millilitres_by_hand() -> None:
    assert tumour_millilitres([[100, 200, 0], [0, 0, 200]], (1, 2, 3)) == pytest.approx(3.0)
    assert tumour_millilitres(500, (1, 1, 1)) == 0.5
