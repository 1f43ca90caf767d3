from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.packaging.consumers.agreement import Wrong, check_same


def write(folder: Path, table: str | None = None, labels: np.ndarray | None = None) -> Path:
    folder.mkdir()
    if table is not None:
        (folder / "predictions.csv").write_text(table)
    if labels is not None:
        nib.save(nib.Nifti1Image(labels.astype(np.uint8), np.eye(4)), folder / "p01_seg.nii.gz")
    return folder


LABELS = np.eye(3)[..., None]
TABLE = "subject,p_LGG,age\np01,0.25,\n"


@pytest.mark.parametrize("table", [TABLE, "subject,p_LGG,age\np01,0.25009,\n"])
def test_what_agrees(tmp_path: Path, table: str) -> None:
    check_same(write(tmp_path / "a", table, LABELS), write(tmp_path / "b", TABLE, LABELS))


@pytest.mark.parametrize(
    ("table", "labels", "told"),
    [
        ("subject,p_LGG,age\np01,0.2502,\n", LABELS, "predictions.csv has other numbers .up to 0.0002 apart"),
        ("subject,p_LGG,age\np01,,\n", LABELS, "other numbers"),
        ("subject,p_LGG,age\np01,0.25,61\n", LABELS, "other numbers"),
        ("subject,p_HGG,age\np01,0.25,\n", LABELS, "other columns or rows"),
        ("subject,p_LGG,age\np01,0.25,\np02,0.25,\n", LABELS, "other columns or rows"),
        (TABLE, LABELS[::-1], "p01_seg.nii.gz has other voxels"),
        (TABLE, None, "p01_seg.nii.gz was not written"),
    ],
)
def test_what_does_not(tmp_path: Path, table: str, labels: np.ndarray | None, told: str) -> None:
    with pytest.raises(Wrong, match=told):
        check_same(write(tmp_path / "a", table, labels), write(tmp_path / "b", TABLE, LABELS))


def test_nothing_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="nothing was written"):
        check_same(write(tmp_path / "a"), write(tmp_path / "b"))
    with pytest.raises(Wrong, match="other columns or rows"):
        check_same(write(tmp_path / "c", "subject\np01\n"), write(tmp_path / "d", "subject\np01\n"))
