from __future__ import annotations

import logging
import runpy
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import highdicom
import matplotlib.image
import numpy as np
import pydicom
import pytest
from matplotlib.colors import to_rgb

from common.errors import DatasetError
from common.records import MODALITIES
from common.reports.pictures import REGION_COLOURS
from common.studies import (
    SEGMENTS,
    Origin,
    Prediction,
    SeriesRule,
    Study,
    make_report,
    make_result,
    make_segmentation,
    read_study,
    write_result,
)
from tests.marked_dicom import find_marks, mark_files, write_raw
from tests.studies.conftest import SHAPE

ORIGIN = Origin("glioma_test", "0.1.0", "ab" * 32, "A task", "Research alone.", "Four series.")
NEEDED = {
    "PatientName": "Doe^Jane",
    "PatientID": "PID4711",
    "PatientBirthDate": "19660102",
    "PatientSex": "F",
    "StudyDate": "20010203",
    "StudyTime": "101112",
    "AccessionNumber": "ACC12",
    "StudyID": "ST7",
    "ReferringPhysicianName": "Who^Dr",
}
MARK = "Secretville"


@pytest.fixture
def labels() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[4:7, 3:5, 2] = 1
    array[4:7, 5, 2:4] = 2
    array[8, 6, 4] = 3
    return array


def test_a_segmentation_comes_back_voxel_for_voxel(tmp_path: Path, study: Study, labels: np.ndarray) -> None:
    read = highdicom.seg.segread(write_result(tmp_path, make_segmentation(labels, study.series, ORIGIN)))
    frames = read.get_pixels_by_source_instance(
        [header.SOPInstanceUID for header in study.series[0].headers],
        combine_segments=True,
        ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )
    np.testing.assert_array_equal(frames.transpose(2, 1, 0), labels)


def test_where_the_frames_lie(study: Study, labels: np.ndarray) -> None:
    """Frames of the segments 1, 2, 2, 3 at 2, 2, 3 and 4 mm: the empty ones are left out."""
    made = make_segmentation(labels, study.series, ORIGIN)
    frames = [
        (
            int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber),
            float(frame.PlanePositionSequence[0].ImagePositionPatient[2]),
        )
        for frame in made.PerFrameFunctionalGroupsSequence
    ]
    assert sorted(frames) == [(1, 2.0), (2, 2.0), (2, 3.0), (3, 4.0)]


def test_what_a_segmentation_says(study: Study, labels: np.ndarray) -> None:
    made = make_segmentation(labels, study.series, ORIGIN)
    first = study.series[0].headers[0]
    assert made.FrameOfReferenceUID == first.FrameOfReferenceUID
    assert made.StudyInstanceUID == first.StudyInstanceUID
    assert made.SeriesInstanceUID not in {series.headers[0].SeriesInstanceUID for series in study.series}
    assert [item.SegmentNumber for item in made.SegmentSequence] == [1, 2, 3]
    kinds = [item.SegmentedPropertyTypeCodeSequence[0] for item in made.SegmentSequence]
    assert [(kind.CodeValue, kind.CodingSchemeDesignator, kind.CodeMeaning) for kind in kinds] == [
        segment.kind for segment in SEGMENTS
    ]
    assert all(item.SegmentedPropertyCategoryCodeSequence[0].CodeValue == "49755003" for item in made.SegmentSequence)
    assert {item.SeriesInstanceUID for item in made.ReferencedSeriesSequence} == {
        series.headers[0].SeriesInstanceUID for series in study.series
    }
    assert "research use only" in made.SeriesDescription
    assert made.ManufacturerModelName == "glioma_test"


def test_a_resection_cavity_is_a_segment_of_its_own(study: Study, labels: np.ndarray) -> None:
    labels[0, 0, 1] = 4
    made = make_segmentation(labels, study.series, ORIGIN)
    assert [item.SegmentLabel[:3] for item in made.SegmentSequence] == ["NCR", "ED:", "ET:", "RC:"]
    kind = made.SegmentSequence[3].SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("RC", "99GLIOMA")


def test_a_segmentation_is_drawn_with_its_cavity(tmp_path: Path, study: Study, labels: np.ndarray) -> None:
    labels[0:3, 0:3, 2] = 4
    result = write_result(tmp_path, make_segmentation(labels, study.series, ORIGIN))
    show = runpy.run_path(str(Path(__file__).resolve().parents[2] / "apps" / "monai_deploy" / "show.py"))
    assert show["main"]([str(result), "--study", str(tmp_path / "study"), "--output", str(tmp_path / "a.png")]) == 0
    drawn = matplotlib.image.imread(tmp_path / "a.png")[..., :3]
    for name, colour in REGION_COLOURS.items():
        assert np.isclose(drawn, to_rgb(colour), atol=0.01).all(axis=-1).any(), name


def test_two_results_have_different_ids(study: Study, labels: np.ndarray) -> None:
    one, other = (make_segmentation(labels, study.series, ORIGIN) for _ in range(2))
    assert one.SOPInstanceUID != other.SOPInstanceUID
    assert one.SeriesInstanceUID != other.SeriesInstanceUID


def test_no_tumour_is_a_segmentation_too(tmp_path: Path, study: Study) -> None:
    read = highdicom.seg.segread(
        write_result(tmp_path, make_segmentation(np.zeros(SHAPE, np.uint8), study.series, ORIGIN))
    )
    assert not read.pixel_array.any()


def items(report: pydicom.Dataset, value_type: str) -> list[pydicom.Dataset]:
    return [item for item in report.ContentSequence if item.ValueType == value_type]


def test_what_a_report_says(tmp_path: Path, study: Study) -> None:
    report = pydicom.dcmread(write_result(tmp_path, make_report(study.series, ORIGIN, {"LGG": 0.25, "HGG": 0.75})))
    numbers = {
        item.ConceptNameCodeSequence[0].CodeMeaning: float(item.MeasuredValueSequence[0].NumericValue)
        for item in items(report, "NUM")
    }
    assert numbers == {"Probability of LGG": 0.25, "Probability of HGG": 0.75}
    texts = " ".join(item.TextValue for item in items(report, "TEXT"))
    for said in ("For research use only", "Research alone.", "A task", "Four series."):
        assert said in texts
    sources = {
        item.ConceptNameCodeSequence[0].CodeMeaning.rpartition(" ")[2]: item.UID
        for item in items(report, "UIDREF")
        if "Source" in item.ConceptNameCodeSequence[0].CodeMeaning
    }
    assert sources == {series.modality: series.headers[0].SeriesInstanceUID for series in study.series}
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
    assert sorted(len(item.ReferencedSOPSequence) for item in evidence) == [6, 6, 6, 6]
    assert report.SOPClassUID == pydicom.uid.ComprehensiveSRStorage


def test_each_slice_refers_to_its_image(study: Study) -> None:
    shares = [{"none": 1 - level / 10, "tumour": level / 10} for level in range(6)]
    numbers = items(make_report(study.series[:1], ORIGIN, of_slices=shares), "NUM")
    assert len(numbers) == 12
    by_image = {
        item.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID: float(
            item.MeasuredValueSequence[0].NumericValue
        )
        for item in numbers
        if "tumour" in item.ConceptNameCodeSequence[0].CodeMeaning
    }
    assert by_image == {header.SOPInstanceUID: level / 10 for level, header in enumerate(study.series[0].headers)}


@pytest.fixture
def marked(
    tmp_path: Path, write_study: Callable[..., Path], rules: tuple[SeriesRule, ...], request: pytest.FixtureRequest
) -> Study:
    """A study whose headers are full of what must not be repeated; ``request`` changes what must be."""
    folder = write_study(tmp_path / "marked")
    for file in folder.rglob("*.dcm"):
        image = pydicom.dcmread(file)
        image.update({**NEEDED, **getattr(request, "param", {})})
        image.SeriesDescription += f" {MARK}"
        for keyword in (
            "PatientComments",
            "OtherPatientIDs",
            "EthnicGroup",
            "Occupation",
            "StudyDescription",
            "InstitutionName",
            "InstitutionAddress",
            "OperatorsName",
            "StationName",
            "ProtocolName",
            "IssuerOfPatientID",
            "NameOfPhysiciansReadingStudy",
            "AdmittingDiagnosesDescription",
            "AdditionalPatientHistory",
            "ClinicalTrialSubjectID",
            "ManufacturerModelName",
            "ImageComments",
        ):
            setattr(image, keyword, MARK)
        image.private_block(0x0011, MARK, create=True).add_new(1, "LO", MARK)
        image.save_as(file)
    return read_study(folder, rules, MODALITIES)


def results(study: Study, labels: np.ndarray) -> list[pydicom.Dataset]:
    return [make_segmentation(labels, study.series, ORIGIN), make_report(study.series, ORIGIN, {"LGG": 0.5})]


def test_only_what_the_standard_requires_is_repeated(tmp_path: Path, marked: Study, labels: np.ndarray) -> None:
    for result in results(marked, labels):
        assert MARK.encode() not in write_result(tmp_path, result).read_bytes()
        for keyword, value in NEEDED.items():
            assert str(result[keyword].value) == value
        repeated = {element.keyword for element in result if str(element.value) in NEEDED.values()}
        assert repeated == set(NEEDED)


def test_of_all_elements_of_the_dictionary_no_other_is_repeated(
    tmp_path: Path, write_study: Callable[..., Path], rules: tuple[SeriesRule, ...], labels: np.ndarray
) -> None:
    folder = write_study(tmp_path / "marked")
    marks = mark_files(folder.rglob("*.dcm"), spared=("SeriesDescription",), series=False)
    needed = {marks[keyword] for keyword in NEEDED}
    others = {keyword: mark for keyword, mark in marks.items() if mark not in needed}
    assert len(others) > 700
    for result in results(read_study(folder, rules, MODALITIES), labels):
        content = write_result(tmp_path, result).read_bytes()
        assert marks["PatientName"].encode() in content
        assert [keyword for keyword, mark in others.items() if mark.encode() in content] == []


BROKEN: dict[str, Any] = {"PatientSex": "Secret", "PatientBirthDate": "", "StudyTime": "nine", "StudyID": "x" * 40}
JAPANESE = "Yamada^Tarou=山田^太郎"
NO_DATE = "18719999"
ILL_FORMED = [
    {"SliceThickness": b"ZQMARKED", "SpacingBetweenSlices": b"ZQMARKED"},
    {"SliceThickness": b"1,5 ", "SpacingBetweenSlices": b"1,5 "},
    {"SliceThickness": b"", "SpacingBetweenSlices": b"1\\2 "},
    {"SliceThickness": b"nan ", "SpacingBetweenSlices": b"-1"},
    {"StudyDate": NO_DATE.encode(), "PatientBirthDate": NO_DATE.encode()},
    {"PatientName": b"ZQMARKED^A\\B^C"},
    {"PatientID": b"ZQMARKED\\B", "AccessionNumber": b"ZQMARKED\\B", "StudyID": b"ZQMARKED\\B"},
    {"ReferringPhysicianName": b"ZQMARKED^A\\B^C", "StudyInstanceUID": b"1.2\\1.3 "},
    {"SpecificCharacterSet": b"ISO_IR 999", "PatientName": b"ZQMARKED^M\xfcller "},
    {"SpecificCharacterSet": b"ISO 2022 IR 6\\ISO 2022 IR 87\\ZQMARKED "},
    {"SpecificCharacterSet": b"ISO_IR 192", "PatientName": b"ZQMARKED^\xff\xfe\xfa "},
]


@pytest.mark.parametrize(
    "marked",
    [
        BROKEN,
        {"PatientName": "Å^Ö", "SpecificCharacterSet": "ISO_IR 100"},
        {"PatientName": JAPANESE, "SpecificCharacterSet": ["", "ISO 2022 IR 87"]},
    ],
    indirect=True,
)
def test_headers_that_break_the_rules(
    tmp_path: Path, marked: Study, labels: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        for result in results(marked, labels):
            read = pydicom.dcmread(write_result(tmp_path, result))
            assert read.PatientSex in ("", "F")
            assert str(read.PatientName) in ("Doe^Jane", "Å^Ö", JAPANESE)
            assert len(read.StudyID) <= 16
    assert caplog.text == ""


@pytest.mark.parametrize("elements", ILL_FORMED, ids=str)
def test_results_of_headers_with_ill_formed_values(
    tmp_path: Path,
    write_study: Callable[..., Path],
    rules: tuple[SeriesRule, ...],
    labels: np.ndarray,
    elements: dict[str, bytes],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = write_study(tmp_path / "study")
    for path in folder.rglob("*.dcm"):
        write_raw(path, elements)
    caplog.clear()
    capfd.readouterr()
    with caplog.at_level(logging.DEBUG):
        made = [write_result(tmp_path, result) for result in results(read_study(folder, rules, MODALITIES), labels)]
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")
    for path in made:
        pydicom.dcmread(path).walk(lambda _, element: element.value)
        assert NO_DATE.encode() not in path.read_bytes()


def test_what_a_library_says_of_headers_is_not_passed_on(
    tmp_path: Path, write_study: Callable[..., Path], rules: tuple[SeriesRule, ...], labels: np.ndarray
) -> None:
    """highdicom keeps the images' ids in a database that takes each one once."""
    folder = write_study(tmp_path / "study")
    for path in folder.rglob("*.dcm"):
        write_raw(path, {"SOPInstanceUID": b"1.2.826.0.1.9999777.1 "})
    bundle: Any = SimpleNamespace(origin=lambda: ORIGIN)
    with pytest.raises(DatasetError, match=r"a DICOM object can be made of them \(IntegrityError\)") as error:
        make_result(bundle, read_study(folder, rules, MODALITIES), Prediction(labels=labels))
    told = "".join(traceback.format_exception(error.value))
    assert "sqlite3" not in told
    assert not find_marks(told.encode())
