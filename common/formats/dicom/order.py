"""Putting the files of a DICOM series in order, and refusing those that are not slices of one stack."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import DatasetError, Problem
from common.formats.dicom.files import SliceHeader, is_dicom, read_slice_header, read_slice_pixels
from common.formats.folders import list_folder, tell_contents
from common.formats.limits import affine_fault

SAME_PLACE_MM = 0.01
SAME_DIRECTION = 0.01
SAME_SPACING_MM = 1e-3
UNEVEN = 0.1
"""Share of the usual distance by which the position of a slice may deviate."""

PLANES = ("sagittal", "coronal", "axial")
ONE_SERIES = "Keep one series of single slices in the folder, or leave the patient out with --exclude."
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class DicomSeries:
    """The slices of one series in order, not yet read.

    Args:
        files: along the normal of the slices (for axial ones from the feet upwards), each position once.
        size: columns and rows.
        affine: (4, 4), indices (column, row, slice) to millimetres in RAS+.
        missing: slices that are lacking between the first and the last.
        copies: files that repeat another one's image.
        others: files that are not DICOM images.
    """

    files: tuple[str, ...]
    size: tuple[int, int]
    affine: NDArray[np.float64]
    missing: int
    copies: int
    others: int

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Mm between columns, rows and slices."""
        x, y, z = np.linalg.norm(self.affine[:3, :3], axis=0).round(6).tolist()
        return x, y, z

    @property
    def plane(self) -> str:
        """Which of :data:`PLANES` is nearest."""
        return PLANES[int(np.abs(np.cross(self.affine[:3, 0], self.affine[:3, 1])).argmax())]


def order_files(files: Iterable[PathLike], where: PathLike, need_regular: bool = True) -> DicomSeries:
    """Put the files of one series in order.

    Args:
        files: in any order; those that are not DICOM images are counted and not read.
        where: what the messages name: a folder, or a series of a study.
        need_regular: as for :func:`find_series`.

    Returns:
        As :func:`find_series`.

    Raises:
        DatasetError: as :func:`find_series`.
    """
    headers, others = _read_headers([Path(file) for file in files], where)
    problems = _find_mixture(headers, where)
    if problems:
        raise DatasetError(problems)
    unspaced = sum(not header.has_spacing for header in headers)
    if need_regular and unspaced:
        what = f"{unspaced} of its {len(headers)} images do not tell the size of their pixels"
        raise DatasetError(Problem(what, str(where), "Export the series again, with its pixel spacing."))
    ordered, copies = _order(headers, where)
    _refuse_side_by_side(ordered, where)
    missing, uneven = _find_gaps(ordered)
    if need_regular and (missing or uneven):
        what = f"{missing} slices are missing" if missing else "its slices are unevenly spaced"
        raise DatasetError(Problem(f"{what} (of {len(ordered)} that are there)", str(where), ONE_SERIES))
    paths = tuple(header.path for header in ordered)
    return DicomSeries(paths, ordered[0].size[:2], _affine(ordered), missing, copies, others)


def _read_headers(files: Sequence[Path], where: PathLike) -> tuple[list[SliceHeader], int]:
    """The headers of all images among the files, and how many files are none."""
    headers: list[SliceHeader] = []
    problems: list[Problem] = []
    for path in files:
        try:
            header = read_slice_header(path) if is_dicom(path) else None
        except DatasetError as error:
            problems += error.problems
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            problems.append(Problem(f"cannot be read ({reason})", str(path), "Check your rights on it."))
        else:
            headers += [header] if header else []
    if not headers and not problems:
        what = f"holds no DICOM image; it {tell_contents(list_folder(Path(where)))}"
        problems.append(Problem(what, str(where), "Pass the folder that holds the series."))
    if problems:
        raise DatasetError(problems)
    return headers, len(files) - len(headers)


def _find_mixture(headers: Sequence[SliceHeader], where: PathLike) -> list[Problem]:
    """What keeps the images from being slices of one stack."""
    problems = []

    def add(what: str) -> None:
        problems.append(Problem(what, str(where), ONE_SERIES))

    series = Counter(header.series for header in headers)
    if len(series) > 1:
        add(f"holds {len(series)} series ({_counts(series.values())} files)")
    if colour := sum(header.channels != 1 for header in headers):
        add(f"{colour} of its {len(headers)} images are in colour")
    if frames := sum(header.size[2] != 1 for header in headers):
        hint = "Convert them to single-frame DICOM or to NIfTI, for example with dcm2niix."
        problems.append(Problem(f"{frames} of its files hold several frames", str(where), hint))
        return problems
    sizes = Counter(header.size[:2] for header in headers)
    if len(sizes) > 1:
        listed = ", ".join(f"{count} of {columns}x{rows}" for (columns, rows), count in sizes.most_common())
        add(f"its slices differ in size ({listed})")
    if placeless := sum(header.origin is None for header in headers):
        add(f"{placeless} of its {len(headers)} images have no position or orientation, so they have no order")
        return problems
    if absurd := [fault for header in headers if (fault := affine_fault(_plane_affine(header)))]:
        add(f"of {len(absurd)} of its {len(headers)} images {absurd[0]}")
        return problems
    turned = _clusters(headers, lambda header: [*header.along_row, *header.along_column], SAME_DIRECTION)
    if len(turned) > 1:
        add(f"its slices lie in {len(turned)} orientations ({_counts(turned)} slices)")
    scaled = _clusters(headers, lambda header: header.spacing[:2], SAME_SPACING_MM)
    if len(scaled) > 1:
        add(f"its slices have {len(scaled)} pixel sizes ({_counts(scaled)} slices)")
    return problems


def _order(headers: Sequence[SliceHeader], where: PathLike) -> tuple[list[SliceHeader], int]:
    """One slice per position, along the normal, and the number of copies that were left out."""
    heights = _heights(headers)
    ordered = [headers[index] for index in np.argsort(heights, kind="stable")]
    kept = ordered[:1]
    differing = 0
    for header in ordered[1:]:
        if not _is_same_place(header, kept[-1]):
            kept.append(header)
        elif header.instance != kept[-1].instance and not _has_same_pixels(header, kept[-1]):
            differing += 1
    if differing:
        what = f"{differing} of its positions are taken by more than one image, such as echoes or points in time"
        raise DatasetError(Problem(what, str(where), ONE_SERIES))
    return kept, len(ordered) - len(kept)


def _refuse_side_by_side(ordered: Sequence[SliceHeader], where: PathLike) -> None:
    steps = np.diff(_heights(ordered))
    if len(steps) > 1 and np.median(steps) <= SAME_PLACE_MM:
        beside = np.count_nonzero(steps <= SAME_PLACE_MM)
        what = f"of its {len(ordered)} slices, {beside} lie at the height of another one, beside it"
        raise DatasetError(Problem(what, str(where), ONE_SERIES))


def _find_gaps(ordered: Sequence[SliceHeader]) -> tuple[int, bool]:
    """How many slices are missing between the first and the last, and whether the others are unevenly spaced."""
    if len(ordered) < 3:
        return 0, False
    steps = np.diff(_heights(ordered))
    usual = float(np.median(steps))
    places = np.maximum(np.rint(steps / usual), 1)
    uneven = np.abs(steps - places * usual) > UNEVEN * usual
    return int(places.sum()) - len(steps), bool(uneven.any())


def _affine(ordered: Sequence[SliceHeader]) -> NDArray[np.float64]:
    """Columns and rows from the first slice, the slice axis from the first and last: right for sheared stacks too."""
    first, last = ordered[0], ordered[-1]
    origin = np.asarray(first.origin)
    if len(ordered) > 1:
        step = (np.asarray(last.origin) - origin) / (len(ordered) - 1)
    else:
        step = first.normal * first.spacing[2]
    axes = [np.multiply(first.along_row, first.spacing[0]), np.multiply(first.along_column, first.spacing[1]), step]
    affine = np.eye(4)
    affine[:3, :3] = LPS_TO_RAS @ np.stack(axes, axis=1)
    affine[:3, 3] = LPS_TO_RAS @ origin
    return affine


def _plane_affine(header: SliceHeader) -> NDArray[np.float64]:
    """A slice's own (4, 4), as if it were 1 mm thick."""
    affine = np.eye(4)
    with np.errstate(over="ignore", invalid="ignore"):
        across = np.multiply(header.along_row, header.spacing[0]), np.multiply(header.along_column, header.spacing[1])
        affine[:3, :3] = np.stack([*across, header.normal], axis=1)
    affine[:3, 3] = header.origin
    return affine


def _heights(headers: Sequence[SliceHeader]) -> NDArray[np.float64]:
    """Mm of each slice along the normal of the first."""
    return np.array([header.origin for header in headers], dtype=float) @ headers[0].normal


def _is_same_place(one: SliceHeader, other: SliceHeader) -> bool:
    return bool(np.allclose(one.origin or (), other.origin or (), rtol=0, atol=SAME_PLACE_MM))


def _has_same_pixels(one: SliceHeader, other: SliceHeader) -> bool:
    return bool(np.array_equal(read_slice_pixels(one.path), read_slice_pixels(other.path)))


def _clusters(headers: Iterable[SliceHeader], values: Callable[[SliceHeader], Any], tolerance: float) -> list[int]:
    """How many slices share each of the values that differ by more than ``tolerance``."""
    found: list[NDArray[np.float64]] = []
    counts: Counter[int] = Counter()
    for header in headers:
        value = np.asarray(values(header), dtype=float)
        index = next((i for i, known in enumerate(found) if np.abs(known - value).max() <= tolerance), len(found))
        if index == len(found):
            found.append(value)
        counts[index] += 1
    return list(counts.values())


def _counts(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in sorted(numbers, reverse=True))
