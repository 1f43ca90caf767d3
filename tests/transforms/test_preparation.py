from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from common.errors import DatasetError
from common.records import MODALITIES
from common.transforms.intensity import z_score_in_brain
from common.transforms.preparation import (
    class_indices,
    label_values,
    mask_values_of,
    prepare_case,
    prepare_image,
    spacing_problem,
)
from common.transforms.reading import read_case

Writer = Callable[..., dict[str, Any]]


def load(path: str) -> np.ndarray:
    return np.asanyarray(nib.load(path).dataobj)


def problems_of(call: Callable[[], Any]) -> list[str]:
    with pytest.raises(DatasetError) as caught:
        call()
    return [str(problem) for problem in caught.value.problems]


def test_labels_become_indices_and_back() -> None:
    mask = np.array([[0, 1, 2], [4, 4, 0]], np.int16)
    classes = class_indices(mask)
    assert classes.dtype == np.uint8
    assert classes.tolist() == [[0, 1, 2], [3, 3, 0]]
    assert mask_values_of(classes).dtype == np.uint8
    np.testing.assert_array_equal(mask_values_of(classes), mask)


@pytest.mark.parametrize("values", [(1, 2, 3), (3, 1, 2), (7, 255, 4), (10, 500, 1000)])
@pytest.mark.parametrize("kind", [np.int32, np.float64])
def test_a_label_set_of_ones_own(values: tuple[int, ...], kind: type) -> None:
    mask = np.array([0, *values, 0], kind)
    assert class_indices(mask, values).tolist() == [0, 1, 2, 3, 0]
    np.testing.assert_array_equal(mask_values_of(class_indices(mask, values), values), mask)


def test_a_case_is_the_brains_box_slices_first(write_record: Writer) -> None:
    record = write_record()
    case = prepare_case(record)
    assert case.image.shape == (8, 4, 18, 12)
    assert case.image.dtype == np.float16
    assert (case.geometry.start, case.geometry.stop) == ((4, 3, 2), (16, 21, 10))
    for channel, name in enumerate(MODALITIES):
        expected = z_score_in_brain(load(record[name]))[4:16, 3:21, 2:10]
        np.testing.assert_allclose(case.image[:, channel], expected.T, atol=2e-3)
    assert case.classes is not None
    np.testing.assert_array_equal(mask_values_of(case.classes), load(record["seg"])[4:16, 3:21, 2:10].T)


def test_further_labels_are_background() -> None:
    assert class_indices(np.array([0, 1, 2, 3, 4]), (1, 2, 3), (4,)).tolist() == [0, 1, 2, 3, 0]
    assert class_indices(np.array([0, 5, 2]), (2,), (5,)).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("mask_values", "classes", "stored"),
    [
        ((1, 2, 4), 3, [1, 2, 4]),
        ((1, 2, 3, 4), 4, [1, 2, 3, 4]),
        ((1, 2, 3, 4), 3, [1, 2, 3]),  # a network without a class of the cavity
        ((1, 2, 4), 4, [1, 2, 4, 5]),  # a cavity in a data set that has no label for it
        ((3, 2, 1), 4, [3, 2, 1, 4]),
    ],
)
def test_each_class_of_a_network_has_a_value_of_its_own(
    mask_values: tuple[int, ...], classes: int, stored: list[int]
) -> None:
    assert label_values(mask_values, classes) == stored


@pytest.mark.parametrize("orientation", ["RAS", "PSR", "ILA"])
def test_the_orientation_of_storage_makes_no_difference(write_record: Writer, orientation: str) -> None:
    expected, case = prepare_case(write_record("a")), prepare_case(write_record("b", orientation=orientation))
    np.testing.assert_allclose(case.image.astype(float), expected.image.astype(float), atol=2e-3)
    np.testing.assert_array_equal(case.classes, expected.classes)
    assert case.geometry.shape == expected.geometry.shape
    assert case.geometry.spacing == expected.geometry.spacing


def test_no_mask_no_classes(write_record: Writer) -> None:
    record = write_record()
    del record["seg"]
    assert prepare_case(record).classes is None


def test_one_file_with_all_channels(write_record: Writer, tmp_path: Path) -> None:
    record = write_record()
    stack = np.stack([load(record[name]) for name in MODALITIES], axis=-1)
    nib.save(nib.Nifti1Image(stack, nib.load(record["t1"]).affine), tmp_path / "all.nii.gz")
    one = {"subject": "p1", "image": str(tmp_path / "all.nii.gz"), "seg": record["seg"], "mask_values": [1, 2, 4]}
    several = prepare_case(record)
    np.testing.assert_array_equal(prepare_case(one).image, several.image)
    np.testing.assert_array_equal(prepare_case(one).classes, several.classes)
    nib.save(nib.Nifti1Image(stack[..., :3], np.eye(4)), tmp_path / "all.nii.gz")
    (problem,) = problems_of(lambda: read_case(one))
    assert "shape 20x24x12x3 where x, y, z and 4 channels" in problem
    assert "all.nii.gz" in problem


def test_every_absent_modality_is_named(write_record: Writer) -> None:
    record = write_record()
    record["t1"] = None
    del record["t2"]
    told = problems_of(lambda: read_case(record))
    assert [line.split(".")[0] for line in told] == ["p1: modality t1 is missing", "p1: modality t2 is missing"]
    assert all("--missing_modality zero" in line for line in told)


def test_an_absent_modality_is_background_on_the_word(write_record: Writer) -> None:
    record = write_record()
    del record["flair"], record["t2"]
    volumes = read_case(record, missing_modality="zero")
    assert list(volumes) == list(MODALITIES)
    assert not volumes["flair"].array.any()
    assert not volumes["t2"].array.any()
    np.testing.assert_array_equal(volumes["t1"].array, load(record["t1"]))
    np.testing.assert_array_equal(volumes["flair"].affine, volumes["t1"].affine)
    assert len(problems_of(lambda: read_case({"subject": "p1"}, missing_modality="zero"))) == 4


def test_a_file_of_zeros_is_refused_unless_zeros_are_asked_for(write_record: Writer) -> None:
    record = write_record(replace={"t1ce": np.zeros((20, 24, 12), np.int16)})
    (problem,) = problems_of(lambda: read_case(record))
    assert "t1ce" in problem
    assert "zero" in problem
    assert not read_case(record, missing_modality="zero")["t1ce"].array.any()


def test_all_broken_files_are_told_at_once(write_record: Writer) -> None:
    record = write_record()
    Path(record["t1"]).write_bytes(b"")
    Path(record["t2"]).unlink()
    Path(record["seg"]).write_bytes(b"<html>")
    told = problems_of(lambda: prepare_case(record))
    assert len(told) == 3
    for key in ("t1", "t2", "seg"):
        assert any(record[key] in line for line in told)


@pytest.mark.parametrize("key", ["t2", "seg"])
def test_another_affine_or_shape_is_refused(write_record: Writer, key: str) -> None:
    record = write_record()
    image = nib.load(record[key])
    affine = image.affine.copy()
    affine[0, 3] += 0.5
    nib.save(nib.Nifti1Image(load(record[key]), affine), record[key])
    (problem,) = problems_of(lambda: prepare_case(record))
    assert "affine" in problem
    assert key in problem
    nib.save(nib.Nifti1Image(load(record[key])[:-1], image.affine), record[key])
    (problem,) = problems_of(lambda: prepare_case(record))
    assert "19x24x12" in problem


def test_an_affine_within_rounding_is_accepted(write_record: Writer) -> None:
    record = write_record()
    affine = nib.load(record["t2"]).affine + 1e-5 * np.eye(4, k=1)
    affine[3] = [0, 0, 0, 1]
    nib.save(nib.Nifti1Image(load(record["t2"]), affine), record["t2"])
    assert prepare_case(record).image.shape == (8, 4, 18, 12)


def test_unknown_labels_and_voxels_that_are_no_number_are_told_together(write_record: Writer) -> None:
    spoiled = np.ones((20, 24, 12), np.float32)
    spoiled[3, 3, 3] = np.nan
    record = write_record(replace={"t1": spoiled, "seg": np.full((20, 24, 12), 3, np.uint8)})
    told = problems_of(lambda: prepare_case(record))
    assert len(told) == 2
    assert "1 of its voxels are infinite, or NaN" in told[0]
    assert "unknown labels: 3" in told[1]


def test_images_at_inference_are_looked_at_as_in_training(write_record: Writer) -> None:
    spoiled = np.ones((20, 24, 12), np.float32)
    spoiled[3, 3, 3] = np.inf
    (problem,) = problems_of(lambda: read_case(write_record(replace={"t1": spoiled})))
    assert "1 of its voxels are infinite" in problem
    flat = write_record("flat", replace={name: np.ones((20, 24, 1, 2), np.int16) for name in MODALITIES})
    with pytest.raises(DatasetError, match="where three dimensions are expected"):
        read_case({key: value for key, value in flat.items() if key != "seg"})


def test_an_empty_image_names_the_patient() -> None:
    told = problems_of(lambda: prepare_image([np.zeros((3, 3, 3))], np.eye(4), "p7"))
    assert told == ["p7: every voxel is zero. Leave the patient out with --exclude."]


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1.09, 0.91, 1), (1, 1, 1.099)])
def test_voxels_of_about_the_expected_size(spacing: tuple[float, ...]) -> None:
    assert spacing_problem(spacing, (1, 1, 1), "p1") == []
    assert spacing_problem((9, 9, 9), None, "p1") == []


@pytest.mark.parametrize("spacing", [(1.12, 1, 1), (1, 0.88, 1), (1, 1, 5)])
def test_voxels_of_another_size(spacing: tuple[float, ...]) -> None:
    (problem,) = spacing_problem(spacing, [1, 1, 1], "p1")
    assert "where 1.00 x 1.00 x 1.00 mm is expected" in problem.what
    assert f"{spacing[2]:.2f} mm where" in problem.what


@pytest.mark.parametrize("change", ["z-scores", "minus 1024", "nan"])
def test_the_background_may_have_any_value(write_record: Writer, change: str) -> None:
    plain = write_record()
    expected = prepare_case(plain)
    replaced = {}
    for name in MODALITIES:
        array = load(plain[name]).astype(np.float32)
        scores = (array - array.mean()) / array.std()
        replaced[name] = {"z-scores": scores, "minus 1024": array - 1024, "nan": np.where(array == 0, np.nan, array)}[
            change
        ]
    case = prepare_case(write_record("changed", replace=replaced))
    assert case.geometry == expected.geometry
    np.testing.assert_array_equal(case.image == 0, expected.image == 0)
    np.testing.assert_allclose(case.image, expected.image, atol=5e-3)  # float16


def test_heads_amid_noise_are_refused(write_record: Writer) -> None:
    noise = np.random.default_rng(0).integers(0, 40, (20, 24, 12)).astype(np.int16)
    (problem,) = problems_of(lambda: prepare_case(write_record(replace={"t1": noise})))
    assert "image 2 of 4" in problem
    assert "background" in problem


def test_labels_that_are_almost_whole_keep_their_class(write_record: Writer) -> None:
    plain = write_record()
    mask = load(plain["seg"]).astype(np.float32)
    almost = np.where(mask == 4, np.float32(3.9999998), mask)
    case = prepare_case(write_record("almost", replace={"seg": almost}))
    np.testing.assert_array_equal(case.classes, prepare_case(plain).classes)


def test_how_much_of_a_mask_lies_on_background(write_record: Writer) -> None:
    plain = write_record()
    mask = load(plain["seg"])
    assert prepare_case(plain).mask_on_background == 0
    moved = np.zeros_like(mask)
    moved[0, :3, 0] = 1  # outside the brain's box
    moved[mask > 0] = 1
    share = prepare_case(write_record("moved", replace={"seg": moved})).mask_on_background
    assert share == pytest.approx(3 / (3 + np.count_nonzero(mask)))
    assert prepare_case(write_record("none", replace={"seg": mask * 0})).mask_on_background is None
