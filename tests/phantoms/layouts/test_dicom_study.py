from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from common.cohorts.phantom_mark import MARK
from common.errors import OutputError
from common.formats.dicom import read_series
from common.formats.nifti import brats_affine
from common.phantoms.layouts.dicom_study import SERIES, make_dicom_studies
from common.phantoms.scans import phantom_subject

SHAPE = (24, 20, 16)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_dicom_studies(tmp_path_factory.mktemp("studies"), patients=2, shape=SHAPE, seed=1)


def test_voxels_and_places_are_those_of_the_same_phantom_in_brats(folders: list[Path]) -> None:
    for index, folder in enumerate(folders):
        subject = phantom_subject(1, index, SHAPE)
        for number, modality in enumerate(SERIES, 2):
            volume = read_series(folder / f"{number:02d}")
            np.testing.assert_array_equal(volume.array, subject.modalities[modality])
            np.testing.assert_allclose(volume.affine, brats_affine(SHAPE[1]))


def test_a_study_is_one_patients_in_one_frame_of_reference(folders: list[Path]) -> None:
    ids = [
        {
            (image.PatientID, image.StudyInstanceUID, image.FrameOfReferenceUID)
            for image in map(pydicom.dcmread, folder.rglob("*.dcm"))
        }
        for folder in folders
    ]
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]


def test_every_image_says_that_it_is_no_patient(folders: list[Path]) -> None:
    for file in folders[0].rglob("*.dcm"):
        assert pydicom.dcmread(file).DerivationDescription == MARK


def test_filled_folders_are_refused(folders: list[Path]) -> None:
    with pytest.raises(OutputError, match="not empty"):
        make_dicom_studies(folders[0].parent)
