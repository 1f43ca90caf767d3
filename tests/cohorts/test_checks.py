from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from common.cohorts.checks import check_arrays, check_headers, check_voxels, whole_labels
from common.errors import DatasetError

MODALITIES = ("flair", "t1", "t1ce", "t2")
KEYS = (*MODALITIES, "seg")
RECORD = {"subject": "p1", "flair": "p1_flair.nii.gz", "seg": "p1_seg.nii.gz", "mask_values": [1, 2, 4]}


@pytest.fixture
def record(tmp_path, write_patient):
    return make_record(write_patient(tmp_path / "p1", suffix=".nii"), ".nii")


def make_record(folder: Path, suffix: str = ".nii.gz") -> dict[str, object]:
    files = {key: str(folder / f"{folder.name}_{key}{suffix}") for key in KEYS}
    return {"subject": folder.name, **files, "mask_values": [1, 2, 4]}


def header_problems(*records: dict[str, object]) -> list[str]:
    with pytest.raises(DatasetError) as error:
        check_headers(records)
    return [str(problem) for problem in error.value.problems]


def test_sound_patients_pass(record):
    check_headers([record])
    assert check_voxels(record) == []


def test_a_missing_file(record):
    Path(record["t2"]).unlink()
    (problem,) = header_problems(record)
    assert "does not exist" in problem
    assert record["t2"] in problem


def test_a_file_that_is_no_nifti(record):
    Path(record["t1"]).write_bytes(b"PNG" * 1000)
    (problem,) = header_problems(record)
    assert "not NIfTI" in problem


def test_an_empty_file(record):
    Path(record["t1"]).write_bytes(b"")
    (problem,) = header_problems(record)
    assert "empty" in problem


def test_a_truncated_file_is_found_without_reading_voxels(record):
    path = Path(record["t1"])
    path.write_bytes(path.read_bytes()[:-2])
    (problem,) = header_problems(record)
    assert "before its last voxel" in problem


def test_a_truncated_compressed_file(tmp_path, write_patient):
    noise = np.random.default_rng(0).integers(0, 900, (40, 40, 40)).astype(np.int16)
    folder = write_patient(tmp_path / "p1", arrays={key: noise + index for index, key in enumerate(MODALITIES)})
    record = make_record(folder)
    path = Path(record["t1"])
    path.write_bytes(path.read_bytes()[:-1000])
    problems = header_problems(record)
    assert any("truncated or damaged" in problem and str(path) in problem for problem in problems)
    (in_voxels,) = [problem for problem in check_voxels(record) if problem.where == str(path)]
    assert "truncated or damaged" in in_voxels.what


def test_a_gzip_file_of_two_members_is_sound(tmp_path, write_patient):
    record = make_record(write_patient(tmp_path / "p1"))
    path = Path(record["flair"])
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    check_headers([record])


def test_a_long_extension_of_the_header_is_sound(tmp_path, write_patient):
    record = make_record(write_patient(tmp_path / "p1"))
    image = nib.load(record["flair"])
    image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"history " * 20_000))
    nib.save(image, record["flair"])
    check_headers([record])


def test_another_shape_of_an_image_or_the_mask(record, write_volume):
    write_volume(Path(record["t1"]), np.ones((6, 5, 3), np.int16))
    write_volume(Path(record["seg"]), np.ones((6, 4, 4), np.uint8))
    image, mask = header_problems(record)
    assert "t1 has shape 6x5x3, flair has 6x5x4" in image
    assert "seg has shape 6x4x4, flair has 6x5x4" in mask


def test_another_affine(record, write_volume):
    moved = np.eye(4)
    moved[0, 3] = 0.5
    write_volume(Path(record["t2"]), affine=moved)
    (problem,) = header_problems(record)
    assert "affines of t2 and flair differ by up to 0.5" in problem

    moved[0, 3] = 5e-4
    write_volume(Path(record["t2"]), affine=moved)
    check_headers([record])


def test_an_affine_without_volume(record):
    for key in KEYS:
        path = Path(record[key])
        content = bytearray(path.read_bytes())
        content[312:328] = bytes(16)  # srow_z, the affine's third row
        path.write_bytes(content)
    problems = header_problems(record)
    assert len(problems) == 5
    assert all("singular" in problem for problem in problems)


def test_volumes_must_be_three_dimensional(record, write_volume):
    write_volume(Path(record["t1"]), np.ones((6, 5, 4, 2), np.int16))
    write_volume(Path(record["seg"]), np.ones((6, 5), np.uint8))
    image, mask = header_problems(record)
    assert "has shape 6x5x4x2 where three dimensions are expected" in image
    assert "has shape 6x5 " in mask


def test_one_file_of_several_channels(tmp_path, write_volume):
    channels = np.random.default_rng(0).integers(1, 9, (6, 5, 4, 4)).astype(np.int16)
    channels[..., 2] = 0
    path = write_volume(tmp_path / "all.nii.gz", channels)
    record = {"subject": "p1", "image": str(path), "mask_values": [1, 2, 4]}
    check_headers([record])
    (problem,) = check_voxels(record)
    assert "all its voxels are zero" in problem.what
    assert problem.where == f"{path} (patient p1, channel t1ce)"

    write_volume(path, channels[..., :3])
    (told,) = header_problems(record)
    assert "has shape 6x5x4x3 where x, y, z and 4 channels are expected" in told


def test_colours_are_no_intensities(record, write_volume):
    colours = np.zeros((6, 5, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    write_volume(Path(record["t1"]), colours)
    (problem,) = header_problems(record)
    assert "instead of numbers" in problem


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_the_same_images_under_two_names(tmp_path, write_patient, suffix):
    one = make_record(write_patient(tmp_path / "p1", suffix=suffix), suffix)
    other = make_record(write_patient(tmp_path / "p2", suffix=suffix), suffix)
    check_headers([one, other])
    Path(other["flair"]).write_bytes(Path(one["flair"]).read_bytes())
    (problem,) = header_problems(one, other)
    assert "patient p2 has the same file as patient p1" in problem


def test_files_that_agree_in_the_middle_alone_are_two(tmp_path, write_volume, write_patient):
    one = make_record(write_patient(tmp_path / "p1", suffix=".nii"), ".nii")
    other = make_record(write_patient(tmp_path / "p2", suffix=".nii"), ".nii")
    array = np.zeros((40, 40, 40), np.int16)
    for number, record in enumerate((one, other), 1):
        array[0, 0, 0] = number
        for key in KEYS:
            write_volume(Path(record[key]), array)
    check_headers([one, other])


def test_problems_of_all_patients_are_told_at_once(tmp_path, write_patient):
    records = [make_record(write_patient(tmp_path / name)) for name in ("p1", "p2", "p3")]
    Path(records[0]["t1"]).unlink()
    Path(records[2]["seg"]).write_bytes(b"nonsense")
    first, second = header_problems(*records)
    assert records[0]["t1"] in first
    assert records[2]["seg"] in second


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers(bad):
    array = np.arange(120, dtype=np.float32).reshape(4, 5, 6)
    array[2, 2, 2:4] = bad
    (problem,) = check_arrays({"flair": array}, None, [1, 2, 4], RECORD)
    assert problem.what.startswith("2 of its voxels are infinite, or NaN")
    assert problem.where == "p1_flair.nii.gz (patient p1)"


def test_nan_around_the_head_is_background_but_nothing_else_is_nan():
    array = np.full((4, 5, 6), np.nan, np.float32)
    (problem,) = check_arrays({"flair": array}, None, [1, 2, 4], RECORD)
    assert problem.what == "all its voxels are nan"
    array[1:3, 1:4, 1:5] = np.arange(24).reshape(2, 3, 4)
    assert check_arrays({"flair": array}, None, [1, 2, 4], RECORD) == []


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_an_image_of_zeros_or_of_one_value(dtype):
    array = np.zeros((2, 3, 4), dtype)
    (zero,) = check_arrays({"flair": array}, None, [1, 2, 4], RECORD)
    assert zero.what == "all its voxels are zero"
    (seven,) = check_arrays({"flair": array + 7}, None, [1, 2, 4], RECORD)
    assert seven.what.startswith("all its voxels are 7")
    array[1, 1, 1] = -1
    assert check_arrays({"flair": array}, None, [1, 2, 4], RECORD) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float64])
def test_unknown_labels_are_named(dtype):
    mask = np.array([[[0, 1, 2, 3], [4, 4, 7, 0]]], dtype)
    (problem,) = check_arrays({}, mask, [1, 2, 4], RECORD)
    assert "unknown labels: 3, 7; known are 0, 1, 2, 4" in problem.what
    assert problem.where == "p1_seg.nii.gz (patient p1)"
    assert check_arrays({}, np.minimum(mask, 3), [1, 2, 3], RECORD) == []


def test_a_mask_of_fractions_names_a_few():
    mask = np.linspace(0, 1, 100).reshape(4, 5, 5)
    (problem,) = check_arrays({}, mask, [1, 2, 4], RECORD)
    assert "and 88 more" in problem.what
    assert "nearest neighbour" in problem.hint


def test_labels_that_are_almost_whole_are_taken_for_whole():
    mask = np.array([[[0, 1, 2, 3.9999998, 4.0009]]], np.float32)
    assert whole_labels(mask).tolist() == [[[0, 1, 2, 4, 4]]]
    assert check_arrays({}, mask, [1, 2, 4], RECORD) == []
    mask[..., 3] = 3.99
    assert whole_labels(mask) is mask
    (problem,) = check_arrays({}, mask, [1, 2, 4], RECORD)
    assert "unknown labels: 3.99, 4.0009;" in problem.what


def test_a_mask_of_another_shape_than_its_image():
    image = np.arange(8).reshape(2, 2, 2)
    (problem,) = check_arrays({"flair": image}, np.zeros((2, 2, 3), np.uint8), [1, 2, 4], RECORD)
    assert "the mask has shape 2x2x3, an image has 2x2x2" in problem.what


def test_an_image_without_voxels():
    (problem,) = check_arrays({"flair": np.zeros((2, 0, 2))}, None, [1, 2, 4], RECORD)
    assert "no voxel" in problem.what


def test_labels_that_are_absent_are_no_problem():
    assert check_arrays({}, np.zeros((2, 2, 2), np.uint8), [1, 2, 4], RECORD) == []


def test_voxels_of_all_files_are_told_at_once(record, write_volume):
    Path(record["flair"]).write_bytes(b"nonsense")
    write_volume(Path(record["t1"]), np.full((6, 5, 4), np.nan, np.float32))
    write_volume(Path(record["t2"]), np.zeros((6, 5, 4), np.int16))
    write_volume(Path(record["seg"]), np.full((6, 5, 4), 3, np.uint8))
    problems = [str(problem) for problem in check_voxels(record)]
    assert len(problems) == 4
    for what in ("not NIfTI", "all its voxels are nan", "voxels are zero", "unknown labels: 3"):
        assert any(what in problem for problem in problems), what


def test_real_cases_are_sound(realdata: Path):
    from common.cohorts.datasets.brats import read_brats

    records = read_brats(realdata / "brats18")
    check_headers(records)
    odd = next(record for record in records if "TCIA10_637" in record["subject"])
    assert check_voxels(odd) == []


@pytest.mark.parametrize("value", [1e300, -3e38, 1e16])
def test_values_that_single_precision_cannot_square(value: float) -> None:
    # make fuzz, seed 0: nifti 190, nifti_gz 101
    array = np.arange(60, dtype=np.float64).reshape(3, 4, 5)
    array[1, 1, 1] = value
    (problem,) = check_arrays({"t1": array}, None, (1, 2, 4), {"subject": "p", "t1": "t1.nii"})
    assert "which are no intensities" in problem.what
