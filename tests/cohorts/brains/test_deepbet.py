from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.cohorts import add_brain_masks
from common.cohorts.brains import extraction
from common.cohorts.brains.deepbet import has_deepbet
from common.cohorts.datasets.ixi import read_ixi
from common.errors import DatasetError
from common.records import without_key
from tests.cohorts.brains.test_extraction import PSR, voxels

Writer = Callable[..., Path]


@pytest.fixture
def deepbet(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """A deepbet that takes the brightest half for brain; returns the orientations of what it was given.

    As the real one it fails in its own ways where it sees nothing, and returns image, mask and millilitres.
    """
    given: list[tuple[str, ...]] = []

    class BrainExtraction:
        def run(self, image: nib.Nifti1Image) -> tuple[Any, nib.Nifti1Image, float]:
            given.append(nib.aff2axcodes(image.affine))
            array = image.get_fdata()
            assert array.max() > 100, "Not enough foreground to calculate bounding box"
            if array.max() > 900:
                raise RuntimeError("CUDA out of memory\nmore of it")
            return image, nib.Nifti1Image((array > 100).astype(np.uint8), image.affine), 1.0

    module = ModuleType("deepbet")
    module.BrainExtraction = BrainExtraction  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deepbet", module)
    monkeypatch.setattr(extraction, "has_deepbet", lambda: True)
    monkeypatch.setattr(extraction, "find_hd_bet", lambda: None)
    return given


def head(path: Path, brightest: int = 500) -> dict[str, str]:
    array = voxels()
    array[array == 500] = brightest
    nib.save(nib.Nifti1Image(array, PSR), path)
    return {"subject": path.name, "source": "ixi", "t1ce": str(path)}


@pytest.mark.parametrize("tool", ["auto", "deepbet"])
def test_its_masks_lie_on_the_file_and_are_kept(deepbet: list[Any], tmp_path: Path, tool: str) -> None:
    patient = head(tmp_path / "a.nii.gz")
    for _ in range(2):
        (record,) = add_brain_masks([patient], tmp_path / "cache", tool=tool)
    mask = nib.load(record["brain_mask"])
    np.testing.assert_array_equal(np.asarray(mask.dataobj), voxels() > 100)
    np.testing.assert_array_equal(mask.affine, PSR)
    assert deepbet == [("R", "A", "S")]  # upright, and once


def test_all_heads_in_which_it_finds_no_brain_are_told_and_the_others_kept(deepbet: list[Any], tmp_path: Path) -> None:
    heads = [head(tmp_path / "a.nii.gz", 50), head(tmp_path / "b.nii.gz"), head(tmp_path / "c.nii.gz", 1000)]
    with pytest.raises(DatasetError) as caught:
        add_brain_masks(heads, tmp_path / "cache")
    told = {Path(problem.where).name: problem.what for problem in caught.value.problems}
    assert told == {
        "a.nii.gz": "deepbet finds no brain in it",
        "c.nii.gz": "deepbet failed: CUDA out of memory",
    }
    assert len(list((tmp_path / "cache" / "brains").iterdir())) == 1


def test_masks_of_one_tool_are_not_taken_for_those_of_the_other(
    deepbet: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = head(tmp_path / "a.nii.gz")
    (made,) = add_brain_masks([patient], tmp_path / "cache", tool="deepbet")
    with pytest.raises(DatasetError, match="without a brain mask"):
        add_brain_masks([patient], tmp_path / "cache", tool="hd-bet")
    monkeypatch.setattr(extraction, "has_deepbet", lambda: False)
    assert add_brain_masks([patient], tmp_path / "cache") == [made]  # whatever is there is taken where none is named


@pytest.mark.skipif(not has_deepbet(), reason="deepbet is not installed")
def test_brains_of_ixi_are_found(realdata: Path, tmp_path: Path) -> None:
    """Dice of .978 to .984 on six heads at 2 mm, with the masks that DLMUSE made of the full ones."""
    records = read_ixi(realdata / "ixi")
    bare = [without_key(record, "brain_mask") for record in records]
    found = add_brain_masks(bare, tmp_path / "cache", ("t1",), tool="deepbet")
    assert len(found) == 6
    for record, masked in zip(records, found, strict=True):
        true, own = (np.asarray(nib.load(each["brain_mask"]).dataobj) > 0 for each in (record, masked))
        assert 2 * (true & own).sum() / (true.sum() + own.sum()) >= 0.95
