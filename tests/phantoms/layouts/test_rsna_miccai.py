from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common.cohorts.datasets.rsna_miccai import read_rsna_miccai
from common.cohorts.phantom_mark import is_phantom
from common.errors import KnobError, OutputError
from common.formats.dicom import find_series, read_series
from common.phantoms.generative_rule import draw_patient
from common.phantoms.layouts.rsna_miccai import make_rsna_phantoms
from common.phantoms.scans import phantom_subject
from common.records import MODALITIES

SHAPE = (24, 24, 16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_rsna_phantoms(tmp_path_factory.mktemp("rsna"), patients=6, shape=SHAPE, seed=1)


def test_it_is_read_as_the_real_one(folder: Path) -> None:
    records = read_rsna_miccai(folder)
    assert [record["subject"] for record in records] == [f"{index:05d}" for index in range(6)]
    assert all(map(is_phantom, records))
    assert sum(record["mgmt"] for record in records) == 3


def test_volumes_come_back_voxel_for_voxel(folder: Path) -> None:
    compared = 0
    for index, record in enumerate(read_rsna_miccai(folder)):
        subject = phantom_subject(1, index, SHAPE, lgg_share=0.5)
        for modality in MODALITIES:
            volume = read_series(record[modality])
            if volume.array.shape == SHAPE:
                np.testing.assert_array_equal(volume.array, subject.modalities[modality])
                np.testing.assert_allclose(volume.spacing, subject.spacing, rtol=1e-4)
                compared += 1
    assert compared >= 3


def test_series_differ_as_those_of_scanners(folder: Path) -> None:
    series = [find_series(record[modality]) for record in read_rsna_miccai(folder) for modality in MODALITIES]
    assert len({found.size for found in series}) >= 3
    by_position = [int(Path(found.files[0]).stem.partition("-")[2]) for found in series]
    assert set(by_position) == {1, SHAPE[2]}
    extents = [np.multiply(found.size, found.spacing[:2]) for found in series]
    np.testing.assert_allclose(extents, np.tile([240, 240], (len(extents), 1)), rtol=1e-4)
    syntaxes = {Path(found.files[0]).read_bytes().count(b"1.2.840.10008.1.2.4.") for found in series}
    assert syntaxes == {0, 1}


def test_labels_come_from_nothing_or_from_what_can_be_seen(tmp_path: Path) -> None:
    grades = [draw_patient(0, index, lgg_share=0.5).grade == "HGG" for index in range(4)]
    for learnable in (False, True):
        root = make_rsna_phantoms(tmp_path / str(learnable), 4, (16, 16, 16), learnable=learnable)
        labels = pd.read_csv(root / "train_labels.csv", dtype={"BraTS21ID": str})
        assert labels.BraTS21ID.str.len().eq(5).all()
        assert labels.MGMT_value.sum() == 2
        assert (labels.MGMT_value.tolist() == [int(grade) for grade in grades]) == learnable


def names(series: str) -> list[str]:
    """Of the files, in the order of their positions."""
    return [Path(file).name for file in find_series(series).files]


def test_a_larger_cohort_begins_with_the_smaller_one(folder: Path, tmp_path: Path) -> None:
    """Voxels, not bytes: GDCM writes the rescale slope of 1 or leaves it out, as what it read before would have it."""
    smaller = make_rsna_phantoms(tmp_path, patients=1, shape=SHAPE, seed=1)
    (record,), (larger, *_) = read_rsna_miccai(smaller), read_rsna_miccai(folder)
    assert record["subject"] == larger["subject"]
    for modality in MODALITIES:
        here, there = read_series(record[modality]), read_series(larger[modality])
        np.testing.assert_array_equal(here.array, there.array)
        np.testing.assert_array_equal(here.affine, there.affine)
        assert names(record[modality]) == names(larger[modality])


def test_bad_settings_are_told_at_once_and_nothing_is_written_over(tmp_path: Path) -> None:
    with pytest.raises(KnobError) as error:
        make_rsna_phantoms(tmp_path / "a", patients=0, shape=(1, 2), seed=-1)
    assert len(error.value.problems) == 3
    (tmp_path / "x").touch()
    with pytest.raises(OutputError, match="is not empty"):
        make_rsna_phantoms(tmp_path)
