"""Files that claim more than a machine holds: one message from the header, and no memory for the rest."""

from __future__ import annotations

import gzip
import io
import os
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pydicom
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from common.errors import DatasetError
from common.formats.dicom import read_series
from common.formats.hdf5_slices import SliceStack, read_hdf5, read_hdf5_header
from common.formats.images import read_image
from common.formats.nifti import read_header, read_nifti

Writer = Callable[..., Path]
LEAST = 50 * 2**20
"""Bytes that the smallest of these files would need many times over."""


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """One problem that says what is claimed and what is read, and little memory on the way."""
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError) as caught:
            yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (problem,) = caught.value.problems
    assert all(word in problem.what for word in words), problem.what
    assert problem.hint
    assert peak < LEAST


def nifti_claiming(shape: tuple[int, ...], kind: type = np.int16) -> bytes:
    header = nib.Nifti1Header()
    header.set_data_dtype(kind)
    header.set_data_shape(shape)
    header["vox_offset"] = 352
    return bytes(header.binaryblock) + b"\0" * 4


@pytest.mark.parametrize("reader", [read_nifti, read_header])
def test_a_small_nifti_that_claims_sixty_gigabytes(tmp_path: Path, reader: Callable[..., object]) -> None:
    content = nifti_claiming((32000, 1000, 940))
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content + b"\0" * 10**7))
    assert (tmp_path / "a.nii.gz").stat().st_size < 11_000
    with refused("32000 x 1000 x 940", "120 GB", "1.1 GB"):
        reader(tmp_path / "a.nii.gz")


def test_four_channels_of_float64_are_read_and_a_few_more_voxels_are_not(tmp_path: Path) -> None:
    for name, shape in (("a", (512, 512, 512)), ("b", (512, 512, 513))):
        (tmp_path / f"{name}.nii").write_bytes(nifti_claiming(shape, np.float64))
    assert read_header(tmp_path / "a.nii").shape == (512, 512, 512)
    with refused("512 x 512 x 513"):
        read_header(tmp_path / "b.nii")


@pytest.mark.parametrize("reader", [read_nifti, read_header])
@pytest.mark.parametrize("offset", [2**27, 2**31, 2**62])
def test_voxels_that_are_said_to_begin_far_behind_the_file(tmp_path: Path, reader: Callable, offset: int) -> None:
    # make fuzz, seed 1: nifti_gz 204, 322; memory was asked for all that would lie before them
    data = bytearray(nib.Nifti2Image(np.ones((5, 5, 3), np.int16), np.eye(4)).to_bytes())
    data[168:176] = struct.pack("<q", offset)
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(bytes(data)))
    with refused("header is damaged", "behind its start"):
        reader(tmp_path / "a.nii.gz")


def test_a_long_extension_lies_before_the_voxels(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.arange(75, dtype=np.int16).reshape(5, 5, 3), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 2**24))
    nib.save(image, tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(read_nifti(tmp_path / "a.nii.gz").array, np.asanyarray(image.dataobj))


def test_a_small_volume_before_gigabytes_of_zeros(tmp_path: Path) -> None:
    whole = nifti_claiming((10, 10, 10)) + b"\0" * 2000
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"\0" * 2**20
    with (tmp_path / "a.nii.gz").open("wb") as file:
        file.write(packer.compress(whole))
        for _ in range(200):
            file.write(packer.compress(zeros))
        file.write(packer.flush())
    with refused("goes on behind its last voxel"):
        read_nifti(tmp_path / "a.nii.gz")


def test_bytes_behind_the_last_voxel_are_read_over(tmp_path: Path) -> None:
    whole = nifti_claiming((10, 10, 10)) + struct.pack("<1000h", *range(1000)) + b"\0" * 512
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(whole))
    assert read_nifti(tmp_path / "a.nii.gz").array[1, 0, 0] == 1


def png_claiming(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "PNG")
    content = buffer.getvalue()
    chunk = b"IHDR" + struct.pack(">II", width, height) + content[24:29]
    return content[:12] + chunk + struct.pack(">I", zlib.crc32(chunk)) + content[33:]


def tiff_claiming(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (64, 64)).save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    (place,) = struct.unpack("<I", content[4:8])
    for entry in range(struct.unpack("<H", content[place : place + 2])[0]):
        at = place + 2 + 12 * entry
        tag = struct.unpack("<H", content[at : at + 2])[0]
        if tag in (256, 257):  # width, length
            content[at + 2 : at + 12] = struct.pack("<HII", 4, 1, width if tag == 256 else height)
    return bytes(content)


@pytest.mark.parametrize("claiming", [png_claiming, tiff_claiming])
def test_a_picture_of_fifty_thousand_pixels_a_side(tmp_path: Path, claiming: Callable[[int, int], bytes]) -> None:
    (tmp_path / "a.png").write_bytes(claiming(50_000, 50_000))
    with refused("8192 x 8192"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("claiming", [png_claiming, tiff_claiming])
def test_a_picture_of_which_pillow_only_warns(tmp_path: Path, claiming: Callable[[int, int], bytes]) -> None:
    (tmp_path / "a.png").write_bytes(claiming(10_000, 10_000))
    with refused("10000 x 10000", "8192 x 8192"):
        read_image(tmp_path / "a.png")


def png_whose_part_claims_two_gigabytes(path: Path, part: bytes) -> np.ndarray:
    information = PngInfo()
    information.add_text("Comment", "a text")
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    Image.fromarray(pixels).save(path, pnginfo=information)
    data = bytearray(path.read_bytes())
    at = data.find(part) - 4
    data[at : at + 4] = struct.pack(">I", 2**31 - 1)
    path.write_bytes(bytes(data))
    return pixels


def test_a_text_in_a_picture_that_claims_two_gigabytes(tmp_path: Path) -> None:
    png_whose_part_claims_two_gigabytes(tmp_path / "a.png", b"tEXt")
    with refused("truncated or damaged"):
        read_image(tmp_path / "a.png")


def test_pixels_of_a_picture_that_claim_two_gigabytes_and_are_all_there(tmp_path: Path) -> None:
    # make fuzz, seed 1: png 238; Pillow asked for memory for all that the part claims
    pixels = png_whose_part_claims_two_gigabytes(tmp_path / "a.png", b"IDAT")
    tracemalloc.start()
    try:
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), pixels)
        assert tracemalloc.get_traced_memory()[1] < LEAST
    finally:
        tracemalloc.stop()


def test_a_slice_of_65535_rows_and_columns(tmp_path: Path, write_series: Writer) -> None:
    for path in write_series(tmp_path / "a", range(2)).glob("*.dcm"):
        slice_of_42_pixels = pydicom.dcmread(path)
        slice_of_42_pixels.Rows = slice_of_42_pixels.Columns = 65535
        slice_of_42_pixels.save_as(path)
    with pytest.raises(DatasetError) as caught:
        read_series(tmp_path / "a")
    assert all("65535 x 65535 pixels" in problem.what for problem in caught.value.problems)


def test_a_series_of_too_many_slices(tmp_path: Path, write_series: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_series(tmp_path / "a", range(9))
    monkeypatch.setattr("common.formats.limits.MOST_BYTES", 7 * 6 * 4 * 8)
    with refused("7 x 6 x 9 voxels"):
        read_series(folder)


def hdf5_claiming(folder: Path, shape: tuple[int, ...]) -> SliceStack:
    with h5py.File(folder / "volume_1_slice_0.h5", "w") as file:
        file.create_dataset("image", shape=shape, dtype="f8", chunks=(64, 64, 1), compression="gzip")
    return SliceStack(str(folder / "volume_1_slice_"), 1, "t1")


@pytest.mark.parametrize("reader", [read_hdf5, read_hdf5_header])
def test_an_enormous_dataset_in_chunks_that_were_never_written(tmp_path: Path, reader: Callable[..., object]) -> None:
    stack = hdf5_claiming(tmp_path, (1_000_000, 1_000_000, 4))
    with refused("1000000 x 1000000 x 4", "3.2e+04 GB"):
        reader(str(stack))


def test_slices_that_are_many_together(tmp_path: Path) -> None:
    stack = hdf5_claiming(tmp_path, (512, 512, 4))
    assert read_hdf5_header(str(stack)).shape == (512, 512, 1)
    many = SliceStack(stack.stem, 1, "t1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("common.formats.limits.MOST_BYTES", 512 * 512 * 8 * 4)
        assert read_hdf5(str(many)).array.shape == (512, 512, 1)
        patch.setattr("common.formats.limits.MOST_BYTES", 512 * 512 * 8)
        with refused("512 x 512 x 4"):
            read_hdf5(str(many))


def test_hdf5_whose_numbers_lie_in_another_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"a secret" * 4 * 40 * 40)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["image"] = np.ones((40, 40, 4))
    links = {
        0: lambda file: file.create_dataset(
            "image", (40, 40, 4), "f8", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        ),
        1: lambda file: file.__setitem__("image", h5py.ExternalLink(str(tmp_path / "other.h5"), "image")),
        2: lambda file: file.create_virtual_dataset("image", _virtual(tmp_path / "other.h5")),
    }
    for number, link in links.items():
        with h5py.File(tmp_path / f"volume_{number}_slice_0.h5", "w") as file:
            link(file)
        with refused("its image lies in another file"):
            read_hdf5(str(SliceStack(str(tmp_path / f"volume_{number}_slice_"), 1, "t1")))


def _virtual(path: Path) -> h5py.VirtualLayout:
    layout = h5py.VirtualLayout((40, 40, 4), "f8")
    layout[:] = h5py.VirtualSource(str(path), "image", shape=(40, 40, 4))
    return layout


@pytest.mark.parametrize("reader", [read_image, read_nifti, read_header])
def test_a_pipe_is_not_waited_for(tmp_path: Path, reader: Callable[..., object]) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with refused("is a pipe or a device"):
        reader(tmp_path / "pipe.png")


def test_a_pipe_among_slices_is_no_slice(tmp_path: Path, write_series: Writer) -> None:
    os.mkfifo(write_series(tmp_path / "a", range(3)) / "pipe.dcm")
    assert read_series(tmp_path / "a").array.shape[2] == 3


def problem_with_little_memory(read: Callable, path: Path | str) -> tuple[str, str, str]:
    """What a reader tells where this process, which is of no use afterwards, gets 32 MB more than it has."""
    import resource

    np.linalg.inv(np.eye(64) @ np.eye(64))  # takes OpenBLAS's own memory, without which it ends the process
    lines = Path("/proc/self/status").read_text().splitlines()
    held = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (held + 2**25, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    with pytest.raises(DatasetError) as caught:
        read(path)
    (problem,) = caught.value.problems
    return problem.what, str(problem.where), problem.hint


def large_nifti(folder: Path) -> Path:
    with (folder / "a.nii").open("wb") as file:
        file.write(nifti_claiming((512, 512, 512)))
        file.truncate(352 + 2 * 512**3)
    return folder / "a.nii"


def large_compressed_nifti(folder: Path) -> Path:
    packer = zlib.compressobj(1, wbits=31)
    with (folder / "a.nii.gz").open("wb") as file:
        file.write(packer.compress(nifti_claiming((512, 512, 512))))
        for _ in range(2 * 512):
            file.write(packer.compress(bytes(512**2)))
        file.write(packer.flush())
    return folder / "a.nii.gz"


def large_picture(folder: Path) -> Path:
    Image.new("RGB", (8000, 8000), (9, 9, 9)).save(folder / "a.png", compress_level=1)
    return folder / "a.png"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is set as Linux does")
@pytest.mark.parametrize(
    ("write", "read"),
    [
        (large_nifti, read_nifti),
        (large_compressed_nifti, read_nifti),
        (large_picture, read_image),
        (lambda folder: str(hdf5_claiming(folder, (3000, 3000, 4))), read_hdf5),
    ],
)
def test_what_may_be_read_and_does_not_fit_is_told(tmp_path: Path, write: Callable, read: Callable) -> None:
    """In a process of its own: one that has freed memory before asks the system for none."""
    path = write(tmp_path)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        what, where, hint = pool.submit(problem_with_little_memory, read, path).result()
    assert (what, where) == ("does not fit into the memory that is free", str(path))
    assert "fewer workers" in hint
