"""The application on phantoms' studies, its results read back by pydicom and highdicom."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image

from common.errors import GliomaError, find_glioma_error
from common.phantoms.layouts.dicom_study import make_dicom_studies
from common.studies import read_rules, read_slices, read_study
from tests.studies.small_bundles import CLINICAL, infer, probabilities_in

APP = Path(__file__).resolve().parents[1]
FLAIR, T1CE = "03", "05"
SURVIVAL = "glioma_survival_classification"

RunApp = Callable[..., Path]


def probabilities(report: pydicom.Dataset) -> list[tuple[str, float]]:
    numbers = [item for item in report.ContentSequence if item.ValueType == "NUM"]
    return [
        (
            item.ConceptNameCodeSequence[0].CodeMeaning.removeprefix("Probability of "),
            float(item.MeasuredValueSequence[0].NumericValue),
        )
        for item in numbers
    ]


def told(run_app: RunApp, *call: object) -> str:
    with pytest.raises(Exception) as caught:
        run_app(*call)
    error = find_glioma_error(caught.value)
    assert isinstance(error, GliomaError), caught.value
    assert len(error.problems) == 1, error
    return str(error)


def files_of(nifti: Path, *modalities: str) -> dict[str, str]:
    return {key: str(nifti / f"{nifti.name}_{key}.nii.gz") for key in modalities}


@pytest.mark.parametrize("name", ["glioma_segmentation"])
def test_segmentation(name: str, run_app: RunApp, bundles: Path, dicom: Path, nifti: Path, tmp_path: Path) -> None:
    read = highdicom.seg.segread(run_app(name, dicom))
    flair = sorted((pydicom.dcmread(file) for file in (dicom / FLAIR).iterdir()), key=lambda one: one.InstanceNumber)
    frames = read.get_pixels_by_source_instance(
        [image.SOPInstanceUID for image in flair],
        combine_segments=True,
        ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )
    files = files_of(nifti, "flair", "t1", "t1ce", "t2")
    wanted = infer(bundles / name, tmp_path / "inferred", **files)
    assert wanted.any()
    np.testing.assert_array_equal(frames.transpose(2, 1, 0), wanted)
    assert read.FrameOfReferenceUID == flair[0].FrameOfReferenceUID
    assert len(read.ReferencedSeriesSequence) == 4


@pytest.mark.parametrize(
    "name", ["glioma_grade_classification", "glioma_survival_classification", "glioma_spatiospatial_classification"]
)
def test_classification_of_volumes(
    name: str, run_app: RunApp, bundles: Path, dicom: Path, nifti: Path, tmp_path: Path
) -> None:
    clinical = CLINICAL.get(name, {})
    options = [word for key, value in clinical.items() for word in (f"--{key}", str(value))]
    report = pydicom.dcmread(run_app(name, dicom, *options))
    modalities = ["t1ce"] if "spatiospatial" in name else ["flair", "t1", "t1ce", "t2"]
    row = infer(bundles / name, tmp_path / "inferred", **files_of(nifti, *modalities), **clinical)[0]
    assert dict(probabilities(report)) == pytest.approx(probabilities_in(row), abs=1e-4)
    assert len(report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence) == len(modalities)


@pytest.mark.parametrize("name", ["mgmt_classification"])
def test_classification_of_a_series(name: str, run_app: RunApp, bundles: Path, dicom: Path, tmp_path: Path) -> None:
    report = pydicom.dcmread(run_app(name, dicom))
    row = infer(bundles / name, tmp_path / "inferred", flair=str(dicom / FLAIR))[0]
    assert dict(probabilities(report)) == pytest.approx(probabilities_in(row), abs=1e-4)
    (series,) = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert series.SeriesInstanceUID == pydicom.dcmread(dicom / FLAIR / "0001.dcm").SeriesInstanceUID


@pytest.mark.parametrize("name", ["brain_tumor_classification"])
def test_classification_of_slices(name: str, run_app: RunApp, bundles: Path, dicom: Path, tmp_path: Path) -> None:
    report = pydicom.dcmread(run_app(name, dicom, "--series", "flair"))
    found = probabilities(report)
    study = read_study(dicom, read_rules(APP / "series_rules.json"), ["flair"])
    pictures = read_slices(study.series[0])
    assert len(found) == 2 * len(pictures)
    (tmp_path / "pictures").mkdir()
    shown = [level for level, picture in enumerate(pictures) if picture.any()]
    for level in shown:
        Image.fromarray(pictures[level]).save(tmp_path / "pictures" / f"{level:03d}.png")
    rows = infer(bundles / name, tmp_path / "inferred", dataset_dir=str(tmp_path / "pictures"))
    for level, row in zip(shown, rows, strict=True):
        assert dict(found[2 * level : 2 * level + 2]) == pytest.approx(probabilities_in(row), abs=1e-4)


def test_two_ages_give_two_probabilities(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    (tmp_path / "clinical.json").write_text('{"age": 30, "resection": "GTR"}')
    young = run_app(SURVIVAL, dicom, "--clinical", str(tmp_path / "clinical.json"))
    old = run_app(SURVIVAL, dicom, "--clinical", str(tmp_path / "clinical.json"), "--age", "80")
    assert probabilities(pydicom.dcmread(young)) != probabilities(pydicom.dcmread(old))


def test_the_age_is_taken_from_the_header_on_request_alone(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    study = Path(shutil.copytree(dicom, tmp_path / "aged"))
    for file in study.rglob("*.dcm"):
        image = pydicom.dcmread(file)
        image.PatientAge = "061Y"
        image.save_as(file)
    assert "no age is given" in told(run_app, SURVIVAL, study, "--resection", "GTR")
    by_header = run_app(SURVIVAL, study, "--resection", "GTR", "--age-from-header")
    by_hand = run_app(SURVIVAL, study, "--resection", "GTR", "--age", "61")
    assert probabilities(pydicom.dcmread(by_header)) == probabilities(pydicom.dcmread(by_hand))
    assert "no age is given" in told(run_app, SURVIVAL, dicom, "--resection", "GTR", "--age-from-header")
    assert "Give one of the two" in told(run_app, SURVIVAL, study, "--age", "61", "--age-from-header")


def test_values_that_are_missing(run_app: RunApp, dicom: Path) -> None:
    assert "no resection is given" in told(run_app, SURVIVAL, dicom, "--age", "61")


def test_a_study_without_a_series(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    study = shutil.copytree(dicom, tmp_path / "study")
    shutil.rmtree(study / T1CE)
    assert "none of its 3 series is t1ce" in told(run_app, "glioma_segmentation", study)


def test_a_study_with_two_series(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    study = shutil.copytree(dicom, tmp_path / "study")
    shutil.copytree(study / FLAIR, study / "again")
    for file in (study / "again").iterdir():
        image = pydicom.dcmread(file)
        image.SeriesInstanceUID, image.SeriesNumber = "1.2.3", 12
        image.save_as(file)
    message = told(run_app, "glioma_segmentation", study)
    assert "2 of its series are flair by the rules: series 3 and series 12" in message


def test_a_series_of_another_patient(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    study = shutil.copytree(dicom, tmp_path / "study")
    for file in (study / T1CE).iterdir():
        image = pydicom.dcmread(file)
        image.PatientID = "somebody else"
        image.save_as(file)
    message = told(run_app, "glioma_segmentation", study)
    assert "it holds images of 2 patients" in message
    assert "somebody" not in message


def test_series_on_two_grids(run_app: RunApp, dicom: Path, tmp_path: Path) -> None:
    study = shutil.copytree(dicom, tmp_path / "study")
    (study / T1CE / "0024.dcm").unlink()
    message = told(run_app, "glioma_segmentation", study)
    assert "t1ce is on another grid than flair (64 x 64 x 24 and 64 x 64 x 23 voxels)" in message


def test_a_head_with_its_skull(run_app: RunApp, tmp_path: Path) -> None:
    (study,) = make_dicom_studies(tmp_path / "heads", shape=(64, 64, 24), head=True)
    assert "it shows a head, not a brain alone" in told(run_app, "glioma_spatiospatial_classification", study)


MARKS = {
    "PatientName": "Mark^Name",
    "PatientID": "MARKID",
    "PatientBirthDate": "19660102",
    "AccessionNumber": "MARKACC",
    "ReferringPhysicianName": "Mark^Physician",
}
"""What an SEG or SR must carry."""

FREE_TEXTS = (
    *("PatientComments", "OtherPatientIDs", "StudyDescription", "ProtocolName", "ImageComments", "EthnicGroup"),
    *("InstitutionName", "OperatorsName", "StationName", "PerformingPhysicianName", "AdditionalPatientHistory"),
)


def mark(study: Path) -> None:
    for file in study.rglob("*.dcm"):
        image = pydicom.dcmread(file)
        image.update(MARKS)
        image.SeriesDescription += " HIDDENMARK"
        for keyword in FREE_TEXTS:
            setattr(image, keyword, "HIDDENMARK")
        image.StudyTime = "HIDDENMARK"
        image.private_block(0x0011, "HIDDENMARK", create=True).add_new(1, "LO", "HIDDENMARK")
        image.save_as(file)


@pytest.mark.parametrize("name", ["glioma_segmentation", "mgmt_classification"])
def test_nothing_of_the_header_is_told(name: str, bundles: Path, dicom: Path, tmp_path: Path) -> None:
    """The command itself, as loud as it can be: once on a whole study, and once where a series is missing."""
    study = Path(shutil.copytree(dicom, tmp_path / "study"))
    mark(study)
    command = [sys.executable, str(APP), "-i", str(study), "-o", str(tmp_path / "out"), "-m", str(bundles / name)]
    environment = {**os.environ, "HOLOSCAN_LOG_LEVEL": "DEBUG", "PYTHONPATH": str(APP.parents[1])}
    whole = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    (result,) = (tmp_path / "out").iterdir()
    assert b"HIDDENMARK" not in result.read_bytes()
    read = pydicom.dcmread(result)
    assert {key: str(read[key].value) for key in MARKS} == MARKS
    shutil.rmtree(study / FLAIR)
    partial = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert partial.returncode == 1
    assert "is flair by the rules" in partial.stderr
    for text in (whole.stdout, whole.stderr, partial.stdout, partial.stderr):
        assert not any(secret in text for secret in ("HIDDENMARK", *MARKS.values()))


def test_the_command_tells_what_was_wrong_in_one_message(bundles: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(APP), "-i", "none", "-o", str(tmp_path), "-m", str(bundles / "mgmt_classification")]
    environment = {**os.environ, "PYTHONPATH": str(APP.parents[1])}
    told = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert told.returncode == 1
    assert told.stderr.strip().splitlines()[-1].startswith("DatasetError: none: there is no such folder.")
    assert "Traceback" not in told.stderr
