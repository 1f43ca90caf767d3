from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.cache_folder import cache_size, clear_cache
from common.errors import DatasetError
from common.records import MODALITIES
from common.transforms.brain.cache import prepare_brains
from common.transforms.cases import common_spacing, tumour_millilitres
from common.transforms.masks.cache import prepare_masks
from common.transforms.slices.cache import prepare_slices
from common.transforms.volumes.cache import prepare_volumes

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


VIEWS = {
    "brain": prepare_brains,
    "slices": partial(prepare_slices, gap=2),
    "volumes": partial(prepare_volumes, size=(8, 8, 8), modalities=MODALITIES, brain_extraction="none"),
    "masks": prepare_masks,
}
every_view = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)


@every_view
def test_the_same_scan_under_two_subjects_is_refused(
    write_record: Writer, tmp_path: Path, view: Callable[..., Any]
) -> None:
    records = [write_record("p1", seed=1), write_record("p2", seed=2), write_record("p3", seed=1, orientation="PSR")]
    for _ in range(2):  # hashes are kept with the cache
        with pytest.raises(DatasetError, match="these two are the same scan: p1 and p3") as caught:
            view(records, tmp_path / "cache")
        assert len(caught.value.problems) == 1
    view(records[:2], tmp_path / "cache")
    longitudinal = {**records[2], "subject": "p1", "scan": "p1 again"}
    assert len(view([*records[:2], longitudinal], tmp_path / "cache")) == 3


@pytest.mark.parametrize(
    "view", [VIEWS["brain"], VIEWS["slices"], VIEWS["volumes"]], ids=["brain", "slices", "volumes"]
)
def test_one_shared_modality_is_enough(write_record: Writer, tmp_path: Path, view: Callable[..., Any]) -> None:
    one, other = write_record("p1", seed=1), write_record("p2", seed=2)
    with pytest.raises(DatasetError, match=r"same scan: p1 and p2 hold the same voxels \(t2\)"):
        view([one, {**other, "t2": one["t2"]}], tmp_path / "cache")


def test_a_mirrored_copy_is_told(write_record: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = write_record("p1", seed=1)
    mirrored = np.asanyarray(nib.load(one["t2"]).dataobj)[::-1]
    other = write_record("p2", seed=2, replace={"t2": mirrored})
    with caplog.at_level(logging.WARNING):
        prepare_brains([one, other], tmp_path / "cache")
    assert "mirrored copy: t2 of p1 and t2 of p2" in caplog.text
