from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
import pytest

from common.reports.pictures import (
    draw_confusion,
    draw_grad_cam,
    draw_mask_grad_cam,
    draw_picture_grad_cam,
    draw_segmentation_panel,
    draw_three_planes,
    draw_volume_grad_cam,
    radiological,
    show_slice,
)


def test_a_slice_is_shown_with_the_patients_right_on_the_left() -> None:
    """In LPS, x grows to the patient's left and y to the back: x runs to the right of the picture, y down."""
    image = np.ones((3, 2))
    image[2, 1] = 5.0
    axes = plt.Figure().subplots()
    show_slice(axes, image, None)
    (shown,) = axes.get_images()
    assert shown.get_array().shape == (2, 3)
    assert np.argmax(shown.get_array()) == 1 * 3 + 2


def test_an_empty_slice_and_a_constant_one_are_drawn() -> None:
    for value in (0.0, 3.0):
        axes = plt.Figure().subplots()
        show_slice(axes, np.full((4, 4), value), np.zeros((4, 4), int))
        low, high = axes.get_images()[0].get_clim()
        assert low < high


@pytest.mark.parametrize(
    ("truth", "titles"), [(True, ["image", "truth", "prediction"]), (False, ["image", "prediction"])]
)
def test_a_panel_leaves_out_a_truth_that_is_not_there(truth: bool, titles: list[str]) -> None:
    classes = np.ones((4, 4), int)
    figure = draw_segmentation_panel(np.ones((4, 4)), classes if truth else None, classes)
    assert [axes.get_title() for axes in figure.axes] == titles


def test_a_confusion_matrix_tells_shares_of_the_truth_and_counts() -> None:
    figure = draw_confusion(np.array([[3, 1], [0, 0]]), ("a", "b"))
    assert [text.get_text() for text in figure.axes[0].texts] == ["75.0%\n3", "25.0%\n1", "0.0%\n0", "0.0%\n0"]
    assert (figure.axes[0].get_ylabel(), figure.axes[0].get_xlabel()) == ("truth", "predicted")


def test_three_planes_go_through_the_tumour_whatever_the_orientation(tmp_path: Path) -> None:
    classes = np.zeros((6, 8, 10), int)
    classes[1, 2, 3] = 3
    for name, signs in (("lps", (-1, -1, 1)), ("ras", (1, 1, 1))):
        nib.save(nib.Nifti1Image(np.ones((6, 8, 10), np.int16), np.diag([*signs, 1.0])), tmp_path / f"{name}.nii.gz")
    titles = {}
    for name in ("lps", "ras"):
        figure = draw_three_planes(str(tmp_path / f"{name}.nii.gz"), classes)
        titles[name] = [axes.get_title() for axes in figure.axes]
        assert all((axes.get_images()[1].get_array() == 3).sum() == 1 for axes in figure.axes)
    assert titles["lps"] == ["axial 3", "coronal 2", "sagittal 1"]
    assert titles["ras"] == ["axial 3", "coronal 5", "sagittal 4"]


def test_three_planes_of_a_patient_without_tumour_go_through_the_middle(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(np.ones((6, 8, 10), np.int16), np.diag([-1, -1, 1, 1])), tmp_path / "a.nii.gz")
    figure = draw_three_planes(str(tmp_path / "a.nii.gz"), np.zeros((6, 8, 10), int))
    assert [axes.get_title() for axes in figure.axes] == ["axial 5", "coronal 4", "sagittal 3"]


@pytest.mark.parametrize(
    ("orientation", "corner"), [("LPS", (0, 0)), ("RAS", (5, 3)), ("LAS", (0, 3)), ("RPS", (5, 0))]
)
def test_the_patients_right_and_front_come_first_whatever_the_orientation(
    orientation: str, corner: tuple[int, int]
) -> None:
    image = np.zeros((2, 6, 4))
    image[1][corner] = 1  # the most right and anterior pixel
    assert np.argwhere(radiological(image, orientation)).tolist() == [[1, 0, 0]]


def heats(figure: plt.Figure) -> list[np.ndarray]:
    return [np.asarray(axes.get_images()[-1].get_array()) for axes in figure.axes if len(axes.get_images()) == 2]


def test_twelve_channels_are_a_row_a_modality_and_a_column_a_slice() -> None:
    image, cam = np.zeros((12, 6, 4)), np.zeros((6, 4))
    image += np.arange(12).reshape(12, 1, 1)
    image[:, 5, 3] += 100
    cam[5, 3] = 1
    figure = draw_grad_cam(image, cam, "P1: HGG (87%)")
    panels = figure.axes[:12]
    assert [[text.get_text() for text in axes.texts][-1] for axes in panels[::3]] == ["flair", "t1", "t1ce", "t2"]
    for number, axes in enumerate(panels):
        grey, heat = axes.get_images()
        assert grey.get_array()[0, 0] == 100 + number  # the right front corner stands at the upper left
        assert heat.get_array()[0, 0] == 1
        assert heat.get_alpha()[0, 0] > 0 and heat.get_alpha()[1:].max() == 0
    assert figure.get_suptitle() == "P1: HGG (87%)"


def test_without_an_orientation_slices_are_drawn_as_stored_and_no_side_is_marked() -> None:
    image = np.ones((1, 6, 4))
    image[0, 5, 3] = 9
    figure = draw_grad_cam(image, image[0] / 9, modalities=("flair",), orientation=None)
    grey, heat = figure.axes[0].get_images()
    assert np.argmax(grey.get_array()) == np.argmax(heat.get_array()) == 3 * 6 + 5
    assert [text.get_text() for text in figure.axes[0].texts] == ["flair"]


def test_channels_that_no_names_fit_are_a_single_row() -> None:
    assert len(heats(draw_grad_cam(np.ones((3, 4, 4)), np.ones((4, 4))))) == 3
    named = draw_grad_cam(np.ones((3, 4, 4)), np.ones((4, 4)), modalities=("t1ce",))
    assert named.axes[0].texts[-1].get_text() == "t1ce"


@pytest.mark.parametrize("scale", [(0, 1), (-2.1, 2.6)])
def test_masks_are_drawn_in_their_colours_also_when_they_were_normalised(scale: tuple[float, float]) -> None:
    masks, cam = np.zeros((3, 6, 4)), np.zeros((6, 4))
    masks[1, 0, 0] = masks[2, 5, 3] = 1
    cam[5, 3] = 1
    figure = draw_mask_grad_cam(masks * (scale[1] - scale[0]) + scale[0], cam)
    left, right = figure.axes[:2]
    classes = np.asarray(left.get_images()[-1].get_array())
    assert np.argwhere(classes).tolist() == [[0, 0], [3, 5]]
    assert (classes[0, 0], classes[3, 5]) == (2, 3)
    assert right.get_images()[-1].get_array()[3, 5] == 1


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_stands_as_it_is_beside_its_heat(channels: int) -> None:
    picture = np.zeros((channels, 6, 4))
    picture[-1, 5, 3] = 1
    cam = np.zeros((6, 4))
    cam[5, 3] = 1
    plain, overlaid = draw_picture_grad_cam(picture, cam, "y1: tumour (90%)").axes[:2]
    (left,), (right, heat) = plain.get_images(), overlaid.get_images()
    assert left.get_array().shape == right.get_array().shape == ((4, 6) if channels == 1 else (4, 6, 3))
    assert left.get_array()[3, 5].max() == 1  # as stored: x to the right, y down, and no side is marked
    assert heat.get_array()[3, 5] == 1
    assert heat.get_alpha()[:3].max() == 0
    assert not plain.texts


def test_three_planes_go_through_the_hottest_voxel_with_the_head_up() -> None:
    """In LPS: the axial plane has the front on top, the other two the head, the sagittal one the front on the left."""
    volume, cam = np.ones((2, 6, 8, 10)), np.zeros((6, 8, 10))
    cam[1, 2, 3], cam[5, 7, 9] = 1, 0.5
    figure = draw_volume_grad_cam(volume, cam, "P1: HGG (87%)", ("t1ce", "t2"))
    assert [axes.get_title() for axes in figure.axes[:6]] == ["axial 3", "coronal 2", "sagittal 1"] * 2
    assert [axes.texts[-1].get_text() for axes in figure.axes[:6:3]] == ["t1ce", "t2"]
    found = [np.argwhere(np.asarray(heat) == 1).tolist() for heat in heats(figure)[:3]]
    assert found == [[[2, 1]], [[6, 1]], [[6, 2]]]


def test_three_planes_go_through_the_brain_though_the_map_is_highest_beside_it() -> None:
    volume, cam = np.zeros((1, 6, 8, 10)), np.zeros((6, 8, 10))
    volume[0, 2:5, 2:6, 2:8] = 1
    cam[0, 0, 0], cam[4, 5, 6] = 1, 0.5
    figure = draw_volume_grad_cam(volume, cam)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["axial 6", "coronal 5", "sagittal 4"]


@pytest.mark.parametrize("beside", [0, 1])
def test_three_planes_of_a_map_without_evidence_go_through_the_middle(beside: float) -> None:
    volume, cam = np.ones((1, 6, 8, 10)), np.zeros((6, 8, 10))
    volume[:, 0], cam[0] = 0, beside
    figure = draw_volume_grad_cam(volume, cam)
    assert [axes.get_title() for axes in figure.axes[:3]] == ["axial 5", "coronal 4", "sagittal 3"]
