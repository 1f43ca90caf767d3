from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from monai.data import MetaTensor

from common.errors import OutputError
from common.handlers import SegmentationTable

AFFINE = np.diag([-2.0, -2.0, 5.0, 1.0])
"""Voxels of 20 mm³."""


@pytest.fixture
def image_path(tmp_path: Path) -> Path:
    path = tmp_path / "images" / "flair.nii.gz"
    path.parent.mkdir()
    nib.save(nib.Nifti1Image(np.ones((10, 10, 10), np.int16), AFFINE), path)
    return path


def batch(subject: str, image_path: Path, oedema: int) -> Any:
    """100 voxels of NCR, 50 of ET and some of ED, as class indices."""
    labels = np.zeros(1000, np.uint8)
    labels[:100], labels[100:150], labels[150 : 150 + oedema] = 1, 3, 2
    meta = {"affine": torch.from_numpy(AFFINE), "filename_or_obj": str(image_path)}
    output = {"pred": MetaTensor(labels.reshape(1, 10, 10, 10), meta=meta), "seg_file": f"x/{subject}_seg.nii.gz"}
    return SimpleNamespace(state=SimpleNamespace(batch=[{"subject": subject}], output=[output]))


def test_volumes_are_in_millilitres(tmp_path: Path, image_path: Path) -> None:
    SegmentationTable(tmp_path / "out")(batch("A", image_path, oedema=200))
    table = pd.read_csv(tmp_path / "out" / "volumes.csv")
    (row,) = table.to_dict("records")
    assert row == {"subject": "A", "file": "A_seg.nii.gz", "WT_ml": 7.0, "TC_ml": 3.0, "ET_ml": 1.0}


def test_a_cavity_has_a_column_where_the_network_knows_one(tmp_path: Path, image_path: Path) -> None:
    engine = batch("A", image_path, oedema=200)
    engine.state.output[0]["mask_values"] = [1, 2, 3, 4]
    engine.state.output[0]["pred"][0, 9] = 4
    SegmentationTable(tmp_path)(engine)
    (row,) = pd.read_csv(tmp_path / "volumes.csv").to_dict("records")
    assert (row["WT_ml"], row["TC_ml"], row["ET_ml"], row["RC_ml"]) == (7.0, 3.0, 1.0, 2.0)


def test_earlier_rows_are_kept_and_a_patients_own_is_replaced(tmp_path: Path, image_path: Path) -> None:
    for subject, oedema in (("002", 0), ("001", 0), ("002", 50)):
        SegmentationTable(tmp_path)(batch(subject, image_path, oedema))
    table = pd.read_csv(tmp_path / "volumes.csv", dtype={"subject": str}, index_col="subject")
    assert table["WT_ml"].to_dict() == {"001": 3.0, "002": 4.0}


def test_a_picture_is_drawn_on_request(tmp_path: Path, image_path: Path) -> None:
    SegmentationTable(tmp_path / "a")(batch("A", image_path, 10))
    SegmentationTable(tmp_path / "b", pictures=True)(batch("A", image_path, 10))
    assert not (tmp_path / "a" / "A_seg.png").exists()
    assert (tmp_path / "b" / "A_seg.png").read_bytes().startswith(b"\x89PNG")


def test_two_scans_of_a_patient_are_two_rows_and_labels_are_those_of_the_data_set(
    tmp_path: Path, image_path: Path
) -> None:
    for scan, oedema in (("A-1", 50), ("A-0", 0)):
        engine = batch("A", image_path, oedema)
        labels = engine.state.output[0]["pred"]
        labels[labels == 4] = 3
        engine.state.batch[0] |= {"scan": scan, "mask_values": [1, 2, 3]}
        SegmentationTable(tmp_path, pictures=True)(engine)
    table = pd.read_csv(tmp_path / "volumes.csv")
    assert list(table.columns) == ["subject", "scan", "file", "WT_ml", "TC_ml", "ET_ml"]
    assert table[["subject", "scan", "WT_ml", "ET_ml"]].to_numpy().tolist() == [
        ["A", "A-0", 3.0, 1.0],
        ["A", "A-1", 4.0, 1.0],
    ]
    assert {path.name for path in tmp_path.glob("*.png")} == {"A-0_seg.png", "A-1_seg.png"}


def test_a_picture_never_leaves_the_folder(tmp_path: Path, image_path: Path) -> None:
    with pytest.raises(OutputError, match="separator of folders"):
        SegmentationTable(tmp_path / "out", pictures=True)(batch("../../escaped", image_path, 1))
    assert not (tmp_path.parent / "escaped_seg.png").exists()


def test_a_scan_that_the_weights_know_is_marked(tmp_path: Path, image_path: Path) -> None:
    engine = batch("A", image_path, oedema=200)
    engine.state.batch[0]["trained_on"] = "yes"
    SegmentationTable(tmp_path)(engine)
    assert pd.read_csv(tmp_path / "volumes.csv")["trained_on"].tolist() == ["yes"]


def test_the_row_comes_last_so_that_a_resumed_run_draws_a_missing_picture(
    tmp_path: Path, image_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("common.handlers.segmentation_table.draw_three_planes", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        SegmentationTable(tmp_path, pictures=True)(batch("A", image_path, oedema=0))
    assert not (tmp_path / "volumes.csv").exists()
