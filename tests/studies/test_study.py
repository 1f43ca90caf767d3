from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from common.errors import DatasetError
from common.formats.nifti import brats_affine
from common.records import MODALITIES
from common.studies import SeriesRule, Study, read_slices, read_study, read_voxels
from tests.facts import in_order
from tests.marked_dicom import find_marks, mark_numbers
from tests.studies.conftest import SHAPE, some_brain

WriteStudy = Callable[..., Path]
Rules = tuple[SeriesRule, ...]


def told(folder: Path, rules: Rules, modalities: tuple[str, ...] = MODALITIES) -> str:
    with pytest.raises(DatasetError) as error:
        read_voxels(read_study(folder, rules, modalities).series)
    return str(error.value)


def test_series_are_read_voxel_for_voxel_in_the_order_of_the_modalities(study: Study) -> None:
    voxels, affine = read_voxels(study.series)
    assert [series.modality for series in study.series] == list(MODALITIES)
    for channel, name in zip(voxels, MODALITIES, strict=True):
        np.testing.assert_array_equal(channel, some_brain(name))
    np.testing.assert_allclose(affine, brats_affine(SHAPE[1]))


def test_headers_stand_in_the_order_of_the_files(study: Study) -> None:
    for series in study.series:
        heights = [float(header.ImagePositionPatient[2]) for header in series.headers]
        assert heights == [0, 1, 2, 3, 4, 5]


def test_files_may_lie_in_one_folder_under_any_name(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    (tmp_path / "flat").mkdir()
    for index, file in enumerate(sorted(write_study(tmp_path / "study").rglob("*.dcm"), reverse=True)):
        shutil.copy(file, tmp_path / "flat" / f"IM{index:03d}")
    voxels, _ = read_voxels(read_study(tmp_path / "flat", rules, MODALITIES).series)
    np.testing.assert_array_equal(voxels[0], some_brain("flair"))


def test_links_are_followed_and_each_folder_is_read_once(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    """A study put together by links, two of which lead back."""
    real = write_study(tmp_path / "real")
    study = tmp_path / "study"
    study.mkdir()
    for folder in real.iterdir():
        (study / folder.name).symlink_to(folder)
    (real / "p01-3" / "back").symlink_to(study)
    (study / "again").symlink_to(real)
    (study / "nowhere").symlink_to(tmp_path / "none")
    series = read_study(study, rules, MODALITIES).series
    assert [(len(one.slices.files), one.slices.copies) for one in series] == [(6, 0)] * 4


def test_a_modality_without_a_series(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    message = told(write_study(tmp_path, ("t1", "flair", "t2")), rules)
    assert "none of its 3 series is t1ce" in message
    assert "problems" not in message


def test_two_series_of_a_modality(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(write_study(tmp_path), ["flair"], number=9)
    message = told(tmp_path, rules)
    assert in_order(message, "2 of its series are flair", "series 3 and series 9")
    assert "problems" not in message


def test_a_series_of_another_patient(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(write_study(tmp_path), ["t2"], study="p02", number=9)
    assert "it holds images of 2 patients" in told(tmp_path, rules)
    assert "p02" not in told(tmp_path, rules)


@pytest.mark.parametrize("tag", [{"_00100010": "Another^Name"}, {"_00100030": "19500101"}])
def test_another_patient_under_the_same_id(
    tmp_path: Path, write_study: WriteStudy, rules: Rules, tag: dict[str, str]
) -> None:
    write_study(write_study(tmp_path), ["t2"], number=9, **tag)
    assert "it holds images of 2 patients" in told(tmp_path, rules)


def test_an_earlier_study_of_the_patient(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(write_study(tmp_path), study="p02", _00100020="p01")
    assert "it holds 2 studies of the patient" in told(tmp_path, rules)


def test_series_with_other_numbers_of_voxels(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(tmp_path, ("t1", "flair", "t2"))
    write_study(tmp_path, ["t1ce"], voxels=np.ones((12, 10, 4), np.int16))
    assert in_order(told(tmp_path, rules), "t1ce", "another grid than flair", "12 x 10 x 6 and 12 x 10 x 4")


def test_series_in_another_place(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(tmp_path)
    for file in (tmp_path / "p01-4").iterdir():
        content = file.read_bytes()
        assert content.count(b"0\\-9\\") == 1
        file.write_bytes(content.replace(b"0\\-9\\", b"0\\-8\\"))
    message = told(tmp_path, rules)
    assert in_order(message, "t2", "another grid than flair", "another position")


def test_series_in_another_frame_of_reference(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(write_study(tmp_path, ("t1", "flair", "t2")), ["t1ce"], _00200052="1.2.3")
    assert "do not share a frame of reference" in told(tmp_path, rules)
    assert read_study(tmp_path, rules, ["t1ce"]).series[0].modality == "t1ce"


def test_a_head_is_refused_where_the_bundle_reads_brains(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(tmp_path, voxels=np.ones(SHAPE, np.int16))
    message = told(tmp_path, rules)
    assert message.startswith("4 problems")
    assert "flair: it shows a head, not a brain alone" in message
    study = read_study(tmp_path, rules, ["flair"])
    assert read_voxels(study.series, brain_alone=False)[0].all()


def test_an_empty_series(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    write_study(tmp_path, voxels=np.zeros(SHAPE, np.int16))
    assert "t1: all of its voxels are 0" in told(tmp_path, rules)
    with pytest.raises(DatasetError, match="all of its pixels are equal"):
        read_slices(read_study(tmp_path, rules, ["t1"]).series[0])


def test_missing_slices_are_refused_where_volumes_are_read(
    tmp_path: Path, write_study: WriteStudy, rules: Rules
) -> None:
    write_study(tmp_path)
    (tmp_path / "p01-3" / "0003.dcm").unlink()
    assert "series 3 (flair): 1 slices are missing" in told(tmp_path, rules)
    assert len(read_study(tmp_path, rules, ["flair"], need_regular=False).series[0].headers) == 5


def test_two_images_at_one_position(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    """The App SDK's own loader would keep one of them in silence."""
    import pydicom

    write_study(tmp_path)
    image = pydicom.dcmread(tmp_path / "p01-3" / "0003.dcm")
    image.SOPInstanceUID = "1.2.3.4"
    image.PixelData = bytes(len(image.PixelData))
    image.save_as(tmp_path / "echo.dcm")
    assert "taken by more than one image" in told(tmp_path, rules)


def test_folders_without_a_study(tmp_path: Path, write_study: WriteStudy, rules: Rules) -> None:
    assert "there is no such folder" in told(tmp_path / "none", rules)
    (tmp_path / "notes.txt").write_text("x")
    assert "it holds no DICOM image" in told(tmp_path, rules)
    write_study(tmp_path)
    file = tmp_path / "p01-2" / "0001.dcm"
    file.write_bytes(file.read_bytes()[:300])
    assert "0001.dcm: the DICOM file is truncated" in told(tmp_path, rules)


def test_one_window_for_all_slices(study: Study) -> None:
    """900 values in the middle: the brightest, the darkest, and one in between."""
    pictures = read_slices(study.series[0])
    brain = some_brain("flair").transpose(2, 1, 0).astype(float)
    assert pictures.dtype == np.uint8
    assert pictures.shape == SHAPE[::-1]
    top = np.percentile(brain[brain > 0], 99.9)
    np.testing.assert_array_equal(pictures, np.rint(255 * np.minimum(brain / top, 1)))


@pytest.mark.parametrize(
    ("tags", "age"),
    [
        ({"_00101010": "061Y"}, 61),
        ({"_00100030": "19400101"}, 60),  # the phantoms' study is of 1 January 2000
        ({"_00101010": "011M"}, None),
        ({"_00100030": "1940"}, None),
        ({}, None),
    ],
)
def test_the_age_at_the_study(
    tmp_path: Path, write_study: WriteStudy, rules: Rules, tags: dict[str, str], age: float | None
) -> None:
    assert read_study(write_study(tmp_path, **tags), rules, MODALITIES).age == age


def test_no_description_leaves_the_reader(
    tmp_path: Path,
    write_study: WriteStudy,
    rules: Rules,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    import pydicom

    secret = {"PatientName": "Doe^Jane", "PatientID": "PID4711", "PatientComments": "lives in Secretville"}
    folder = write_study(tmp_path, ("t1", "flair", "t2"))
    for file in folder.rglob("*.dcm"):
        image = pydicom.dcmread(file)
        image.update(secret)
        image.SeriesDescription += " of Jane"
        image.StudyDate = "Jane-date"
        image.save_as(file)
    caplog.clear()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        message = told(folder, rules)
        shown = repr(read_study(folder, rules, ["t1", "t2"]).age)
    everything = [message, shown, caplog.text, *map(str, warned), *capfd.readouterr()]
    assert not any(word in text for text in everything for word in ("Jane", "PID4711", "Secretville"))


def test_no_number_that_is_none_leaves_the_reader(
    tmp_path: Path,
    write_study: WriteStudy,
    rules: Rules,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """pydicom warns of such numbers, and quotes them."""
    folder = write_study(write_study(tmp_path), ["flair"], number=9)
    mark_numbers(folder.rglob("*.dcm"))
    caplog.clear()
    capfd.readouterr()
    with caplog.at_level(logging.DEBUG), warnings.catch_warnings():
        warnings.simplefilter("error")
        message = told(folder, rules)
        study = read_study(folder, rules, ["t1", "t2"])
    assert "2 of its series are flair" in message
    assert not find_marks(f"{message}{study!r}".encode())
    assert (caplog.text, *capfd.readouterr()) == ("", "", "")
