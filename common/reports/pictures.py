"""Figures: segmentations beside the truth, confusion matrices, Grad-CAM maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
from nibabel.orientations import apply_orientation

from common.formats.volumes import read_volume
from common.records import CAVITY_CLASS, MODALITIES
from common.reports.drawn_text import as_drawn
from common.transforms.geometry import orientation_of

REGION_COLOURS = {"NCR": "#c1121f", "ED": "#56b4e9", "ET": "#ffd400", CAVITY_CLASS: "#6a3d9a"}
"""Told apart also by who is colour-blind: CIEDE2000 of any two is 31 or more, simulated after Machado 2009."""

LAST = len(REGION_COLOURS)
"""The last index of a class."""

OVERLAY = ListedColormap(["#00000000", *REGION_COLOURS.values()])
DISPLAY_PERCENTILES = (1, 99.7)
PLANES = (("axial", 2), ("coronal", 1), ("sagittal", 0))
"""And the axis that each of them crosses, in LPS."""
HEAT = "inferno"
HEAT_OPACITY = 0.55


def draw_segmentation_panel(
    image: np.ndarray, truth: np.ndarray | None, prediction: np.ndarray, title: str = ""
) -> Figure:
    """Image, truth and prediction of one axial slice side by side, in radiological convention.

    Args:
        image: intensities (x, y) in LPS orientation.
        truth: class indices (x, y), or ``None`` where there is no mask.
        prediction: class indices (x, y).
        title: above the panel.
    """
    columns = [("image", None), ("truth", truth), ("prediction", prediction)]
    columns = [column for column in columns if column[0] != "truth" or truth is not None]
    figure = Figure(figsize=(3.2 * len(columns), 3.9), layout="constrained")
    for axes, (name, classes) in zip(np.atleast_1d(figure.subplots(1, len(columns))), columns, strict=True):
        show_slice(axes, image, classes)
        axes.set_title(name, fontsize=10)
    figure.legend(handles=_legend(truth, prediction), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def show_slice(axes: Axes, image: np.ndarray, classes: np.ndarray | None) -> None:
    """Draw a slice with its classes over it; the patient's right is on the left.

    Args:
        axes: to draw on.
        image: intensities (x, y) in LPS orientation.
        classes: class indices (x, y); ``None`` for the image alone.
    """
    image = np.asarray(image, dtype=np.float32)
    brain = image[image != 0]
    low, high = np.percentile(brain, DISPLAY_PERCENTILES) if brain.size else (0, 1)
    shown = np.where(image == 0, low, image)
    axes.imshow(shown.T, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), interpolation="nearest")
    if classes is not None:
        axes.imshow(np.asarray(classes).T, cmap=OVERLAY, vmin=0, vmax=LAST, alpha=0.55, interpolation="nearest")
    axes.set_axis_off()


def draw_confusion(counts: np.ndarray, names: Sequence[str]) -> Figure:
    """A confusion matrix, rows normalised to shares of the truth; the counts are below the shares."""
    figure = Figure(figsize=confusion_size(len(names)), layout="constrained")
    show_confusion(figure.subplots(), counts, names)
    return figure


def confusion_size(classes: int) -> tuple[float, float]:
    """Width and height in inches that a confusion matrix needs."""
    return 1.3 * classes + 1.2, 1.1 * classes + 1


def show_confusion(axes: Axes, counts: np.ndarray, names: Sequence[str]) -> None:
    """Draw a confusion matrix, rows normalised to shares of the truth, with the counts below the shares.

    Args:
        axes: to draw on.
        counts: (classes, classes); a row is a true class.
        names: of the classes.
    """
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(names)):
        for column in range(len(names)):
            colour = "white" if shares[row, column] > 0.6 else "black"
            text = f"{shares[row, column]:.1%}\n{counts[row, column]:,}"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), [as_drawn(name) for name in names])
    axes.set_yticks(range(len(names)), [as_drawn(name) for name in names])
    axes.set_xlabel("predicted")
    axes.set_ylabel("truth")


def draw_three_planes(image_path: str, classes: np.ndarray, title: str = "") -> Figure:
    """A segmentation over its image in axial, coronal and sagittal planes through the tumour's centre.

    Args:
        image_path: of the image; of several channels the first is shown.
        classes: class indices in the file's own orientation, (x, y, z).
        title: above the picture.
    """
    volume = read_volume(image_path)
    orientation = orientation_of(volume.affine)
    image = apply_orientation(volume.array if volume.array.ndim == 3 else volume.array[..., 0], orientation)
    classes = apply_orientation(classes, orientation)
    where = np.argwhere(classes > 0)
    centre = np.median(where, axis=0).astype(int) if len(where) else np.array(image.shape) // 2
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, (name, axis) in zip(figure.subplots(1, 3), PLANES, strict=True):
        show_slice(axes, *[cut_plane(array, axis, centre[axis]) for array in (image, classes)])
        axes.set_title(f"{name} {centre[axis]}", fontsize=10)
    figure.legend(handles=_legend(classes), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def draw_grad_cam(
    image: np.ndarray,
    cam: np.ndarray,
    title: str = "",
    modalities: Sequence[str] = MODALITIES,
    orientation: str | None = "RAS",
) -> Figure:
    """A Grad-CAM over the network's input slices, in radiological convention.

    There is one row per modality and one column per slice.

    Args:
        image: intensities (modality * slice, x, y); the slices of a modality follow each other.
        cam: 0 to 1, (x, y); the same for all of them, since the network takes all channels at once.
        title: above the picture.
        modalities: names of the rows; where the channels cannot be divided between them, there is one without a name.
        orientation: of the axes; its first two letters say where x and y grow to (``RAS``, ``LPS``). ``None`` where
            that is not known: the slices are drawn as they are stored, and no side is marked.
    """
    if not modalities or len(image) % len(modalities):
        modalities = ("",)
    rows, columns = len(modalities), len(image) // len(modalities)
    figure = Figure(figsize=(2.3 * columns + 0.9, 2.3 * rows + 0.5), layout="constrained")
    grid = np.asarray(figure.subplots(rows, columns, squeeze=False))
    heat = radiological(cam, orientation)
    for axes, channel in zip(grid.flat, radiological(image, orientation), strict=False):
        show_slice(axes, channel, None)
        shown = _show_heat(axes, heat)
    for axes, name in zip(grid[:, 0], modalities, strict=True):
        if orientation:
            _mark_right(axes)
        axes.text(-0.04, 0.5, name, transform=axes.transAxes, rotation=90, ha="right", va="center", fontsize=10)
    figure.colorbar(shown, ax=grid, shrink=0.6, label="Grad-CAM")
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def draw_picture_grad_cam(picture: np.ndarray, cam: np.ndarray, title: str = "") -> Figure:
    """A single picture, and beside it the same with the Grad-CAM over it.

    Args:
        picture: 0 to 1, grey (1, x, y) or RGB (3, x, y).
        cam: 0 to 1, (x, y).
        title: above the picture.
    """
    return draw_picture_grad_cams(picture, {"": cam}, title)


def draw_picture_grad_cams(picture: np.ndarray, cams: Mapping[str, np.ndarray], title: str = "") -> Figure:
    """A single picture, and beside it the same with the Grad-CAM of each of several networks (P2, figures 6 and 7).

    Args:
        picture: 0 to 1, grey (1, x, y) or RGB (3, x, y).
        cams: 0 to 1, (x, y), each under what stands above it.
        title: above all.
    """
    figure = Figure(figsize=(3 * len(cams) + 3.2, 3.2), layout="constrained")
    grid = figure.subplots(1, len(cams) + 1)
    shown = (
        np.clip(np.asarray(picture, dtype=np.float32), 0, 1).transpose(2, 1, 0).squeeze(-1 if len(picture) == 1 else ())
    )
    for axes in grid:
        axes.imshow(shown, cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
    for axes, (name, cam) in zip(grid[1:], cams.items(), strict=True):
        heat = _show_heat(axes, cam)
        axes.set_title(as_drawn(name), fontsize=9)
    figure.colorbar(heat, ax=grid[-1], shrink=0.8, label="Grad-CAM")
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def draw_mask_grad_cam(masks: np.ndarray, cam: np.ndarray, title: str = "", orientation: str = "LPS") -> Figure:
    """A Grad-CAM beside the tumour masks that are the network's input, in radiological convention.

    Args:
        masks: NCR, ED and ET, (3, x, y); what exceeds the middle of a channel's range belongs to the part.
        cam: 0 to 1, (x, y).
        title: above the picture.
        orientation: of the axes, as for :func:`draw_grad_cam`.
    """
    masks = np.asarray(masks, dtype=np.float32)
    low, high = masks.min(axis=(1, 2), keepdims=True), masks.max(axis=(1, 2), keepdims=True)
    parts = (masks > (low + high) / 2) & (high > low)
    classes = radiological(np.where(parts.any(axis=0), parts.argmax(axis=0) + 1, 0), orientation).T
    figure = Figure(figsize=(7, 3.9), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.imshow(classes > 0, cmap="gray", vmin=0, vmax=2, interpolation="nearest")
        axes.set_axis_off()
    left.imshow(classes, cmap=OVERLAY, vmin=0, vmax=LAST, interpolation="nearest")
    shown = _show_heat(right, radiological(cam, orientation))
    figure.colorbar(shown, ax=right, shrink=0.8, label="Grad-CAM")
    _mark_right(left)
    figure.legend(handles=_legend(classes), loc="outside lower left", ncols=4, frameon=False, fontsize=8)
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def draw_volume_grad_cam(
    volume: np.ndarray, cam: np.ndarray, title: str = "", modalities: Sequence[str] = ()
) -> Figure:
    """A Grad-CAM over a volume in axial, coronal and sagittal planes through its highest value in the brain.

    A map is coarse and may be highest beside the brain, where a plane would show nothing.

    Args:
        volume: intensities (channel, x, y, z) in LPS, zero outside the brain, voxels of equal sides; one row per
            channel.
        cam: 0 to 1, (x, y, z); where it is zero all over the brain, the planes go through the middle.
        title: above the picture.
        modalities: names of the channels.
    """
    inside = np.where(volume.any(axis=0), cam, 0)
    peak = np.unravel_index(int(inside.argmax()), cam.shape) if inside.any() else [size // 2 for size in cam.shape]
    names = tuple(modalities) if len(modalities) == len(volume) else ("",) * len(volume)
    figure = Figure(figsize=(8.2, 2.9 * len(volume) + 0.6), layout="constrained")
    grid = np.asarray(figure.subplots(len(volume), len(PLANES), squeeze=False))
    for row, channel, modality in zip(grid, volume, names, strict=True):
        for axes, (plane, axis) in zip(row, PLANES, strict=True):
            show_slice(axes, cut_plane(channel, axis, int(peak[axis])), None)
            shown = _show_heat(axes, cut_plane(cam, axis, int(peak[axis])))
            axes.set_title(f"{plane} {peak[axis]}", fontsize=10)
            if plane != "sagittal":
                _mark_right(axes)
        row[0].text(-0.04, 0.5, modality, transform=row[0].transAxes, rotation=90, ha="right", va="center", fontsize=10)
    figure.colorbar(shown, ax=grid, shrink=0.7, label="Grad-CAM")
    figure.suptitle(as_drawn(title), fontsize=10)
    return figure


def cut_plane(volume: np.ndarray, axis: int, index: int) -> np.ndarray:
    """A plane of a volume, turned so that :func:`show_slice` draws the patient's head up.

    Args:
        volume: (x, y, z) in LPS.
        axis: that the plane crosses.
        index: along that axis.

    Returns:
        A view of ``volume``.
    """
    plane = np.moveaxis(volume, axis, 0)[index]
    return plane if axis == 2 else plane[:, ::-1]


def radiological(image: np.ndarray, orientation: str | None) -> np.ndarray:
    """(..., x, y) with x to the patient's left and y to the back, as :func:`show_slice` takes it; a view.

    Without an orientation, ``image`` as it is.
    """
    image = np.asarray(image)
    if not orientation:
        return image
    image = image[..., ::-1, :] if orientation[0] == "R" else image
    return image[..., ::-1] if orientation[1] == "A" else image


def _mark_right(axes: Axes) -> None:
    """Mark the side of the picture that is the patient's right."""
    axes.text(0.02, 0.5, "R", transform=axes.transAxes, color="white", fontsize=9, va="center")


def _show_heat(axes: Axes, heat: np.ndarray) -> AxesImage:
    """Where there is no heat, the image stays visible."""
    heat = np.asarray(heat, dtype=np.float32).T
    return axes.imshow(heat, cmap=HEAT, vmin=0, vmax=1, alpha=HEAT_OPACITY * heat, interpolation="nearest")


def _legend(*shown: np.ndarray | None) -> list[Patch]:
    """The colours of the classes; that of the resection cavity only where one is shown."""
    has_cavity = any(classes is not None and np.any(np.asarray(classes) == LAST) for classes in shown)
    names = [name for name in REGION_COLOURS if name != CAVITY_CLASS or has_cavity]
    return [Patch(color=REGION_COLOURS[name], label=name) for name in names]
