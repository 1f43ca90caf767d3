"""Checks of a patient's files before they can harm a run.

The cheap checks read every header when a cohort is read; the thorough ones read the voxels when a case is prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import nibabel as nib
import numpy as np
from nibabel.arrayproxy import ArrayProxy

from common.cohorts.identical_files import find_identical_files
from common.errors import DatasetError, Problem, list_some
from common.formats.background import count_inner_faults
from common.formats.hdf5_slices import is_hdf5
from common.formats.nifti import GZIP_MAGIC, read_nifti
from common.formats.volumes import read_volume_header, read_volumes, volume_files
from common.records import MODALITIES, Record, scan_of, value_of

AFFINE_TOLERANCE = 1e-3
"""In mm: headers keep affines in single precision."""

LABEL_TOLERANCE = 1e-3
"""How far from a whole number a label may be: programs that compute in floating point write 3.9999998."""

MOST_INTENSITY = 1e15
"""Of a voxel: squares of more would not fit into single precision when images are standardised."""

MOST_VALUES_SHOWN = 10
READERS = 8


def check_headers(records: Sequence[Record], modalities: Sequence[str] = MODALITIES) -> None:
    """Check the header of every file: cheap enough to be done before each run.

    Raises:
        DatasetError: with every file that is missing, truncated or no NIfTI, that is not three-dimensional, or whose
            shape or affine differs from the patient's other files, and every image that two patients share.
    """
    problems = find_header_problems(records, modalities)
    if problems:
        raise DatasetError(problem for found in problems.values() for problem in found)


def find_header_problems(records: Sequence[Record], modalities: Sequence[str] = MODALITIES) -> dict[str, list[Problem]]:
    """Find what :func:`check_headers` raises.

    Args:
        records: the cohort.
        modalities: in the order of the channels.

    Returns:
        The problems of each scan under its name; scans without a problem are not in it.
    """
    with ThreadPoolExecutor(READERS) as pool:
        problems = pool.map(lambda record: _check_patient(record, modalities), records)
        found = {scan_of(record): wrong for record, wrong in zip(records, problems, strict=True)}
    images = {scan_of(record): _sample_of(value_of(record, list_files(record, modalities)[0])) for record in records}
    for scan, shared in find_identical_files(images):
        found[scan].append(shared)
    return {scan: wrong for scan, wrong in found.items() if wrong}


def check_voxels(record: Record, modalities: Sequence[str] = MODALITIES) -> list[Problem]:
    """Read all files of a patient and list all problems of them and their voxels; see :func:`check_arrays`."""
    volumes, problems = read_volumes({key: value_of(record, key) for key in list_files(record, modalities)})
    arrays = {key: volume.array for key, volume in volumes.items()}
    if "image" in arrays:
        arrays.update(zip(modalities, split_channels(arrays.pop("image")), strict=False))
    images = {key: array for key, array in arrays.items() if key != "seg"}
    labels = (*record["mask_values"], *record.get("background_values", ()))
    return problems + check_arrays(images, arrays.get("seg"), labels, record)


def check_arrays(
    arrays: Mapping[str, np.ndarray], mask: np.ndarray | None, mask_values: Iterable[int], record: Record
) -> list[Problem]:
    """Find what is wrong with voxels that are already in memory.

    Args:
        arrays: an image of shape (x, y, z) by modality.
        mask: its mask of the same shape, if there is one.
        mask_values: the labels that may occur in it besides 0.
        record: the patient, for the messages.

    Returns:
        A problem for an image with infinite voxels, with NaN within the head or with the same value everywhere, and for
        a mask of another shape or with unknown labels.
    """
    problems = [_check_image(array, _where(record, name)) for name, array in arrays.items()]
    if mask is not None:
        shapes = {array.shape for array in arrays.values()}
        problems.append(_check_mask(mask, tuple(mask_values), shapes, _where(record, "seg")))
    return [problem for problem in problems if problem is not None]


def whole_labels(mask: np.ndarray) -> np.ndarray:
    """A mask whose labels are all within :data:`LABEL_TOLERANCE` of whole numbers has these; any other is unchanged."""
    if mask.dtype.kind != "f":
        return mask
    rounded = np.rint(mask)
    return rounded if (np.abs(mask - rounded) <= LABEL_TOLERANCE).all() else mask


def split_channels(array: np.ndarray) -> list[np.ndarray]:
    """The volumes (x, y, z) of a file: its channels, or the one that it holds without a channel axis."""
    return list(np.moveaxis(array, -1, 0)) if array.ndim == 4 else [array]


def list_files(record: Record, modalities: Sequence[str]) -> list[str]:
    """The keys of ``record`` that hold files: ``image`` or the modalities it has, then ``seg`` if there is a mask."""
    images = ["image"] if record.get("image") else [modality for modality in modalities if record.get(modality)]
    return [*images, "seg"] if record.get("seg") else images


def _check_patient(record: Record, modalities: Sequence[str]) -> list[Problem]:
    headers: dict[str, nib.Nifti1Image] = {}
    problems: list[Problem] = []
    for key in list_files(record, modalities):
        try:
            header = read_volume_header(value_of(record, key))
            if not is_hdf5(value_of(record, key)):
                (file,) = volume_files(value_of(record, key))
                _refuse_cut_file(file, header if file == value_of(record, key) else read_volume_header(file))
        except DatasetError as error:
            problems += error.problems
            continue
        channels = (len(modalities),) if key == "image" and len(modalities) > 1 else ()
        wrong = _check_layout(header, channels, _where(record, key))
        problems += wrong
        if not wrong:
            headers[key] = header
    return list(dict.fromkeys(problems)) + _compare_grids(headers, record)


def _check_layout(header: nib.Nifti1Image, channels: tuple[int, ...], where: str) -> list[Problem]:
    """A volume of numbers, with ``channels`` along a fourth axis where they are expected."""
    shape, dtype = header.shape, header.get_data_dtype()
    if len(shape) != 3 + len(channels) or shape[3:] != channels or 0 in shape:
        wanted = f"x, y, z and {channels[0]} channels" if channels else "three dimensions"
        what = f"has shape {_by(shape)} where {wanted} are expected"
        return [Problem(what, where, "Convert the file, or list the right one.")]
    if dtype.kind not in "iuf":
        return [Problem(f"holds {dtype} values instead of numbers", where, "Convert it to integers or floats.")]
    return []


def _compare_grids(headers: Mapping[str, nib.Nifti1Image], record: Record) -> list[Problem]:
    """Every file of a patient must lie on the grid of the first."""
    if not headers:
        return []
    (first, reference), *others = headers.items()
    hint = f"Resample the patient's files to one grid, or use --exclude {scan_of(record)}."
    problems = []
    for key, header in others:
        if header.shape[:3] != reference.shape[:3]:
            what = f"{key} has shape {_by(header.shape[:3])}, {first} has {_by(reference.shape[:3])}"
            problems.append(Problem(what, _where(record, key), hint))
        elif not np.allclose(header.affine, reference.affine, rtol=0, atol=AFFINE_TOLERANCE):
            apart = np.abs(header.affine - reference.affine).max()
            what = f"the affines of {key} and {first} differ by up to {apart:.3g}"
            problems.append(Problem(what, _where(record, key), hint))
    return problems


def _sample_of(path: str) -> str:
    """The file by which an image is compared with others: the middle one of its slices."""
    files = volume_files(path)
    return files[len(files) // 2]


def _refuse_cut_file(path: str, header: nib.Nifti1Image) -> None:
    """Compare the length that the header promises with the length that is there.

    The last four bytes of a gzip file hold its uncompressed length, unless it was written in several members. Where
    they disagree, the whole file is read.

    Raises:
        DatasetError: the file is too short.
    """
    voxels = int(np.prod(header.shape, dtype=np.int64)) * header.get_data_dtype().itemsize
    promised = cast(ArrayProxy, header.dataobj).offset + voxels
    with Path(path).open("rb") as file:
        compressed = file.read(2) == GZIP_MAGIC
        length = file.seek(0, 2)
        if compressed:
            file.seek(-4, 2)
            length = int.from_bytes(file.read(4), "little")
    if length < promised if not compressed else length != promised % 2**32:
        read_nifti(path)


def _check_image(array: np.ndarray, where: str) -> Problem | None:
    if not array.size:
        return Problem("it holds no voxel", where, "Replace the file by an intact one.")
    faults = count_inner_faults(array)
    if faults:
        what = f"{faults} of its voxels are infinite, or NaN within the head"
        return Problem(what, where, "Replace the file by an intact one.")
    largest, smallest = np.fmax.reduce(array, axis=None), np.fmin.reduce(array, axis=None)
    if max(abs(float(largest)), abs(float(smallest))) > MOST_INTENSITY:
        what = f"its voxels go from {smallest:.3g} to {largest:.3g}, which are no intensities"
        return Problem(what, where, "Replace the file by an intact one.")
    if largest == smallest or np.isnan(largest):
        what = "all its voxels are zero" if largest == 0 else f"all its voxels are {largest}"
        return Problem(what, where, "Replace the file by an intact one.")
    return None


def _check_mask(mask: np.ndarray, values: tuple[int, ...], shapes: set[tuple[int, ...]], where: str) -> Problem | None:
    if shapes - {mask.shape}:
        what = f"the mask has shape {_by(mask.shape)}, an image has {_by(min(shapes - {mask.shape}))}"
        return Problem(what, where, "Resample the patient's files to one grid.")
    mask = whole_labels(mask)
    # Comparing with each label is an order of magnitude faster than np.unique on millions of voxels.
    known = (0, *values)
    if sum(np.count_nonzero(mask == value) for value in known) == mask.size:
        return None
    strange = np.unique(mask[~np.isin(mask, known)])
    shown = list_some([f"{value:.7g}" for value in strange], MOST_VALUES_SHOWN)
    what = f"the mask holds unknown labels: {shown}; known are 0, {', '.join(str(value) for value in values)}"
    hint = "If the data set has other labels, list it with --datalist and its own mask_values (NCR, ED, ET)."
    if not np.equal(strange, np.rint(strange)).all():
        hint = "Labels are whole numbers: if the mask was resampled, do so with nearest neighbour."
    return Problem(what, where, hint)


def _where(record: Record, key: str) -> str:
    """The file, and the patient and channel, which may not be in its name."""
    path = record.get(key)
    if path is None and record.get("image"):
        return f"{record['image']} (patient {scan_of(record)}, channel {key})"
    return f"{path or key} (patient {scan_of(record)})"


def _by(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)
