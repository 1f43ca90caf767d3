"""Reading a volume by its path: a NIfTI file, the address of one of its channels, or of a volume in HDF5 slices.

Records, items and caches hold such paths; code that reads one need not know which it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import nibabel as nib

from common.errors import DatasetError, Problem
from common.files import is_folder
from common.formats.channels import Channel, is_channel, read_channel, read_channel_header, take_channel
from common.formats.hdf5_slices import SliceStack, is_hdf5, read_hdf5, read_hdf5_header
from common.formats.nifti import PathLike, Volume, read_header, read_nifti


def read_volume(path: PathLike) -> Volume:
    """Read a volume whole; see :func:`~common.formats.nifti.read_nifti` and
    :func:`~common.formats.hdf5_slices.read_hdf5`.

    Raises:
        DatasetError: it is missing, truncated, damaged, or no such file.
    """
    if is_channel(path):
        return read_channel(path)
    return read_hdf5(path) if is_hdf5(path) else read_nifti(path)


def read_volumes(paths: Mapping[str, PathLike]) -> tuple[dict[str, Volume], list[Problem]]:
    """Read several volumes; a file of several channels is read once.

    Returns:
        The volumes by the keys of their paths, and what is wrong with the others, each problem once.
    """
    volumes: dict[str, Volume] = {}
    problems: list[Problem] = []
    whole: dict[str, Volume] = {}
    for key, path in paths.items():
        try:
            if is_channel(path):
                channel = Channel.parse(path)
                whole[channel.file] = whole.get(channel.file) or read_nifti(channel.file)
                volumes[key] = take_channel(whole[channel.file], channel)
            else:
                volumes[key] = read_volume(path)
        except DatasetError as error:
            problems += error.problems
    return volumes, list(dict.fromkeys(problems))


def read_volume_header(path: PathLike) -> nib.Nifti1Image:
    """The header as an image whose voxels must not be read: ``.shape``, ``.affine``, ``.header``.

    Raises:
        DatasetError: the file, or the slice that is opened, is missing or damaged.
    """
    if is_channel(path):
        return read_channel_header(path)
    return read_hdf5_header(path) if is_hdf5(path) else read_header(path)


def volume_files(path: PathLike) -> list[str]:
    """The files that hold a volume: those of a folder where it is a series of slices."""
    if is_folder(path):
        return [str(file) for file in sorted(Path(path).iterdir()) if file.is_file()]
    if is_channel(path):
        return [Channel.parse(path).file]
    return SliceStack.parse(path).files if is_hdf5(path) else [str(path)]


def volume_stamp(path: PathLike) -> list[str | int]:
    """Path, and of each file its size in bytes and its last change (ns), which show whether a volume was changed.

    The files of a series are told apart by their names: two that change places make another volume.

    Raises:
        DatasetError: a file does not exist.
    """
    files = volume_files(path)
    stamp: list[str | int] = [str(Path(path).resolve())]
    for file in files:
        try:
            state = Path(file).stat()
        except OSError as error:
            raise DatasetError(Problem("the file does not exist", file, "Check the path.")) from error
        name = [Path(file).name] if len(files) > 1 else []
        stamp += [*name, state.st_size, state.st_mtime_ns]
    return stamp
