"""One channel of a NIfTI file of several, under an address: ``BRATS_001.nii.gz[2]`` is the third."""

from __future__ import annotations

import re
from dataclasses import dataclass

import nibabel as nib
import numpy as np

from common.errors import DatasetError, Problem
from common.formats.nifti import PathLike, Volume, read_header, read_nifti

ADDRESS = re.compile(r"(?P<file>.*\.nii(\.gz)?)\[(?P<index>\d+)\]", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True)
class Channel:
    """A channel; its text is the address that records hold.

    Args:
        file: a NIfTI file (x, y, z, channel).
        index: of the channel, from 0.
    """

    file: str
    index: int

    def __str__(self) -> str:
        return f"{self.file}[{self.index}]"

    @classmethod
    def parse(cls, address: PathLike) -> Channel:
        """From what :func:`is_channel` knows."""
        match = ADDRESS.fullmatch(str(address))
        if match is None:
            raise ValueError(f"{address} is no address of a channel")
        return cls(match["file"], int(match["index"]))


def is_channel(address: PathLike) -> bool:
    """Whether a record's path is the address of a channel."""
    return ADDRESS.fullmatch(str(address)) is not None


def read_channel(address: PathLike) -> Volume:
    """The channel (x, y, z), in a header of three dimensions.

    Raises:
        DatasetError: the file is missing, damaged, or has no such channel.
    """
    channel = Channel.parse(address)
    return take_channel(read_nifti(channel.file), channel)


def take_channel(whole: Volume, channel: Channel) -> Volume:
    """A channel (x, y, z) of its file's volume (x, y, z, channel), in a header of three dimensions.

    Raises:
        DatasetError: there is no such channel.
    """
    _check_shape(whole.array.shape, channel)
    array = np.ascontiguousarray(whole.array[..., channel.index])
    header = whole.header.copy()
    header.set_data_shape(array.shape)
    return Volume(array, whole.affine, header)


def read_channel_header(address: PathLike) -> nib.Nifti1Image:
    """What a file of this channel alone would say; its voxels must not be asked for.

    Raises:
        DatasetError: as :func:`read_channel`.
    """
    channel = Channel.parse(address)
    whole = read_header(channel.file)
    shape = whole.shape
    _check_shape(shape, channel)
    voxels = np.broadcast_to(np.zeros((), whole.get_data_dtype()), shape[:3])
    header = whole.header.copy()
    header.set_data_shape(shape[:3])
    return type(whole)(voxels, whole.affine, header)


def _check_shape(shape: tuple[int, ...], channel: Channel) -> None:
    if len(shape) != 4 or channel.index >= shape[3]:
        found = "x".join(map(str, shape))
        what = f"has shape {found} where x, y, z and more than {channel.index} channels are expected"
        raise DatasetError(Problem(what, channel.file, "Download it again."))
