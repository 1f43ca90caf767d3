"""Volumes in HDF5 slices: the files of Kaggle's "BraTS2020 Training Data" (awsaf49), from which P3 learned.

A file ``volume_V_slice_S.h5`` holds ``image``, float64 (x, y, channel) with FLAIR, T1, T1ce and T2, and ``mask``, uint8
(x, y, class) with NCR, ED and ET as zeros and ones. The axes are those of BraTS 2020's NIfTI files, ``image[:, :, c]``
is ``volume[:, :, S]``, and V is the patient's number.

Each slice of each modality was standardised on its own by the mean and the standard deviation of all its pixels: the
background is not zero, and the same tissue differs from slice to slice. :mod:`common.formats.hdf5_restoring` undoes it.
(The files were rebuilt so from NIfTI and compared with the published ones by
github.com/bhngrg/localized-medical-image-synthesis.)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import nibabel as nib
import numpy as np

from common.errors import DatasetError, Problem
from common.formats.hdf5_restoring import restore_intensities
from common.formats.limits import HINT, MOST_SIDE, fitting_memory, volume_too_large
from common.formats.nifti import FETCH_AGAIN, PathLike, Volume, brats_affine
from common.records import BRATS_MASK_VALUES, MODALITIES

ADDRESS = re.compile(r"(?P<stem>.*volume_\d+_slice_)\[0-(?P<last>\d+)\]\.h5:(?P<part>\w+)", re.DOTALL)
SLICE = re.compile(r"volume_(0|[1-9]\d*)_slice_(0|[1-9]\d*)\.h5")
"""A slice's file: the volume's number, and its own."""

UNREADABLE = (OSError, RuntimeError, ValueError, TypeError, KeyError)
"""What h5py raises of a damaged file, at whatever is asked of it."""

UNKNOWN_LABEL = 255
"""In a mask, where a class of a pixel is neither 0 nor 1."""

MARK_LENGTH = 79
"""Bytes of a text in a NIfTI header."""

CHANNELS = {"image": len(MODALITIES), "mask": len(BRATS_MASK_VALUES)}
"""The datasets of a file, and how many channels each has."""


@dataclass(frozen=True)
class SliceStack:
    """A modality, or ``seg``, of a volume; as text it is the address in records.

    Args:
        stem: path of the slices up to their number.
        count: how many there are, numbered from 0.
        part: one of :data:`~common.records.MODALITIES`, or ``seg``.
    """

    stem: str
    count: int
    part: str

    def __str__(self) -> str:
        return f"{self.stem}[0-{self.count - 1}].h5:{self.part}"

    @classmethod
    def parse(cls, address: PathLike) -> SliceStack:
        """From an address that :func:`is_hdf5` accepts."""
        match = ADDRESS.fullmatch(str(address))
        if match is None:
            raise ValueError(f"{address} is not an address of HDF5 slices")
        return cls(match["stem"], int(match["last"]) + 1, match["part"])

    @property
    def files(self) -> list[str]:
        """The slices, lowest first."""
        return [f"{self.stem}{index}.h5" for index in range(self.count)]

    @property
    def dataset(self) -> str:
        """What holds this part in each file."""
        return "mask" if self.part == "seg" else "image"


def is_hdf5(address: PathLike) -> bool:
    """Whether a record's path is an address in HDF5 slices."""
    return ADDRESS.fullmatch(str(address)) is not None


def read_hdf5(address: PathLike) -> Volume:
    """Read a modality, int32 (x, y, z) with BraTS's intensities and a background of zero, or a mask, uint8 (x, y, z).

    Intensities that were not whole numbers come as float32 multiples of each slice's standard deviation.

    Raises:
        DatasetError: with every slice that is missing, truncated, damaged, or of another form than the first; or they
            do not fit into the memory.
    """
    with fitting_memory(address):
        return _read_stack(SliceStack.parse(address))


def _read_stack(stack: SliceStack) -> Volume:
    planes: list[np.ndarray] = []
    problems: list[Problem] = []
    for path in stack.files:
        try:
            planes.append(_read_plane(path, stack))
        except DatasetError as error:
            problems += error.problems
    if problems:
        raise DatasetError(problems)
    for path, plane in zip(stack.files, planes, strict=True):
        if plane.shape != planes[0].shape:
            what = f"has {_by(plane.shape)} pixels, the volume's first slice has {_by(planes[0].shape)}"
            problems.append(Problem(what, path, FETCH_AGAIN))
    if problems:
        raise DatasetError(problems)
    voxels = np.stack(planes, axis=-1) if stack.part == "seg" else restore_intensities(planes)
    header = read_hdf5_header(str(stack))
    return Volume(voxels, header.affine, header.header)


def read_hdf5_header(address: PathLike) -> nib.Nifti1Image:
    """The header as that of a NIfTI file, with voxels that are all zero; only one slice is opened.

    Raises:
        DatasetError: that slice is missing, damaged, or of another form.
    """
    stack = SliceStack.parse(address)
    with open_slice(stack.files[stack.count // 2]) as file:
        shape = _find_part(file, stack).shape
        mark = str(file.attrs.get("description", ""))
    affine = brats_affine(shape[1])
    voxel = np.zeros((), np.uint8 if stack.part == "seg" else np.int32)
    image = nib.Nifti1Image(np.broadcast_to(voxel, (*shape[:2], stack.count)), affine)
    image.set_qform(affine, code="scanner")
    image.set_sform(affine, code="scanner")
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = mark.encode("utf-8", "replace")[:MARK_LENGTH]
    return image


def import_h5py(where: str | Path) -> ModuleType:
    """h5py, an optional package.

    Raises:
        DatasetError: it is not installed.
    """
    try:
        return import_module("h5py")
    except ImportError as error:
        what = "HDF5 slices are read with h5py, which is not installed"
        raise DatasetError(Problem(what, where, "Install it: pip install h5py")) from error


@contextmanager
def open_slice(path: str | Path) -> Iterator[Any]:
    """The open file, for reading alone.

    Raises:
        DatasetError: it is missing or damaged, which may be found when something in it is read; or h5py is not
            installed.
    """
    h5py = import_h5py(path)
    try:
        opened = h5py.File(path, "r")
    except FileNotFoundError as error:
        hint = "Check the path; the data set may be incomplete."
        raise DatasetError(Problem("the file does not exist", str(path), hint)) from error
    except UNREADABLE as error:
        raise DatasetError(Problem("the file is truncated, or no HDF5 file", str(path), FETCH_AGAIN)) from error
    try:
        with opened as file:
            yield file
    except UNREADABLE as error:
        raise DatasetError(Problem("what it holds is damaged", str(path), FETCH_AGAIN)) from error


def find_dataset(file: Any, name: str) -> Any:
    """The dataset ``name``, one of :data:`CHANNELS`, of an open slice.

    Raises:
        DatasetError: there is none, or it has another form.
    """
    _refuse_links(file, name)
    stored = file.get(name)
    shape = getattr(stored, "shape", None)
    if shape is None:
        what = f"has no dataset {name} (it holds {', '.join(file) or 'nothing'})"
        raise DatasetError(Problem(what, file.filename, FETCH_AGAIN))
    if len(shape) != 3 or shape[2] != CHANNELS[name] or 0 in shape:
        what = f"its {name} has shape {_by(shape)} where x, y and {CHANNELS[name]} channels are expected"
        raise DatasetError(Problem(what, file.filename, FETCH_AGAIN))
    if stored.dtype.kind not in "iufb":
        what = f"its {name} holds values of type {stored.dtype} instead of numbers"
        raise DatasetError(Problem(what, file.filename, FETCH_AGAIN))
    if too_large := volume_too_large(shape, stored.dtype.itemsize, file.filename):
        raise DatasetError(too_large)
    if max(shape) > MOST_SIDE:
        what = f"its {name} has shape {_by(shape)}; at most {MOST_SIDE} pixels a side are read"
        raise DatasetError(Problem(what, file.filename, HINT))
    return stored


def _read_plane(path: str, stack: SliceStack) -> np.ndarray:
    """A slice's modality (x, y), or its classes as one label map."""
    with open_slice(path) as file:
        stored = _find_part(file, stack)
        if stack.part != "seg":
            return np.asarray(stored[..., MODALITIES.index(stack.part)], dtype=np.float64)
        classes = stored[()]
    # Classes that overlap, or hold other numbers than 0 and 1, come out as labels that a mask cannot have.
    labels = (classes == 1) @ np.array(BRATS_MASK_VALUES)
    labels[~((classes == 0) | (classes == 1)).all(axis=-1)] = UNKNOWN_LABEL
    return labels.astype(np.uint8)


def _find_part(file: Any, stack: SliceStack) -> Any:
    """The dataset of an open slice, whose volume is not too large."""
    stored = find_dataset(file, stack.dataset)
    if too_large := volume_too_large((*stored.shape[:2], stack.count), stored.dtype.itemsize, file.filename):
        raise DatasetError(too_large)
    return stored


def _refuse_links(file: Any, name: str) -> None:
    """Refuse a dataset whose numbers lie in another file: whoever made this one may name any file of the machine."""
    link = type(file.get(name, getlink=True)).__name__
    stored = None if link == "ExternalLink" else file.get(name)
    if link == "ExternalLink" or getattr(stored, "external", None) or getattr(stored, "is_virtual", False):
        what = f"its {name} lies in another file"
        raise DatasetError(Problem(what, file.filename, "Save it in one file of its own."))


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
