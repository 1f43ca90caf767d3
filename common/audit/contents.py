"""What the images of a split hold: hashes of volumes, copies among pictures. Each file is decoded once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from nibabel.orientations import apply_orientation, io_orientation
from tqdm import tqdm

from common.audit.files import is_picture
from common.audit.split import Case
from common.copies import find_copies
from common.copies.groups import CopyReport
from common.errors import DatasetError, Problem
from common.formats.dicom import find_series, read_ordered
from common.formats.nifti import read_nifti
from common.formats.voxel_hashes import VoxelHashes, hash_voxels
from common.records import Record

PREVIEW_SIDE = 112
"""Pixels of the longest side of a picture on the page."""

WINDOW = (1, 99.5)
"""Percentiles that become black and white."""


@dataclass(frozen=True)
class Scan:
    """What is kept of a volume.

    Args:
        hashes: of each channel; none of a channel that is all background.
        preview: uint8 (y, x), the middle axial slice.
    """

    hashes: tuple[VoxelHashes, ...]
    preview: np.ndarray


@dataclass(frozen=True)
class Contents:
    """What the images of a split hold.

    Args:
        scans: by file, or by folder of a DICOM series.
        copies: among the pictures, named by their files; ``None`` where there are no pictures.
    """

    scans: Mapping[str, Scan] = field(default_factory=dict)
    copies: CopyReport | None = None


def read_contents(cases: Iterable[Case]) -> Contents:
    """Read all images of the cases, with a progress bar.

    Args:
        cases: with their files.

    Raises:
        DatasetError: images cannot be read; all of them in a few lines.
    """
    files = list(dict.fromkeys(file for case in cases for file in case.files))
    scans, problems = _read_scans([file for file in files if not is_picture(file)])
    pictures: list[Record] = [{"subject": file, "image": file} for file in files if is_picture(file)]
    copies = None
    try:
        copies = find_copies(pictures) if pictures else None
    except DatasetError as error:
        problems += error.problems
    if problems:
        raise DatasetError(problems)
    return Contents(scans, copies)


def _read_scans(files: Sequence[str]) -> tuple[dict[str, Scan], list[Problem]]:
    scans: dict[str, Scan] = {}
    problems: list[Problem] = []
    with ThreadPoolExecutor() as pool:
        results = tqdm(
            pool.map(_read_scan, files), "Reading volumes", len(files), leave=False, unit="file", disable=not files
        )
        for file, found in zip(files, results, strict=True):
            if isinstance(found, Scan):
                scans[file] = found
            else:
                problems += found
    return scans, problems


def _read_scan(file: str) -> Scan | list[Problem]:
    try:
        array, affine = _read_series(file) if Path(file).is_dir() else _read_nifti(file)
    except DatasetError as error:
        return list(error.problems)
    if 0 in array.shape or array.dtype.kind not in "biuf":
        return [Problem("files hold no voxels with a brightness", file, "Remove them, or export them again.")]
    if array.dtype.kind == "f":
        array = np.nan_to_num(array, posinf=0, neginf=0)
    channels = np.atleast_3d(array)
    channels = channels.reshape(*channels.shape[:3], -1)
    hashes = [hash_voxels(channels[..., index], affine) for index in range(channels.shape[3])]
    return Scan(tuple(found for found in hashes if found), _preview(channels[..., 0], affine))


def _read_nifti(file: str) -> tuple[np.ndarray, np.ndarray]:
    volume = read_nifti(file)
    return volume.array, volume.affine


def _read_series(folder: str) -> tuple[np.ndarray, np.ndarray]:
    """A DICOM series (x, y, z), whose slices may be incomplete."""
    volume = read_ordered(find_series(folder, need_regular=False))
    return volume.array, volume.affine


def _preview(array: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """The middle axial slice, small, front up, in radiological convention."""
    oriented = apply_orientation(array, io_orientation(affine))
    plane = np.asarray(oriented[..., oriented.shape[2] // 2], dtype=np.float32).T[::-1, ::-1]
    step = max(1, -(-max(plane.shape) // PREVIEW_SIDE))
    plane = plane[::step, ::step]
    low, high = np.percentile(plane, WINDOW)
    return np.rint(255 * np.clip((plane - low) / max(high - low, 1e-6), 0, 1)).astype(np.uint8)
