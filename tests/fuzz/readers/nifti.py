"""NIfTI files, plain and compressed: headers, voxels, a cohort's checks, and results with the same header."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tests.fuzz.inputs import ANYTHING, Draw, Mutation, Reader, Truth, must_be, must_be_or_refused
from tests.fuzz.mutations import cut, flip, must_be_refused, on_bytes, on_file, scramble

TYPES = ("<u1", "<i1", "<i2", "<u2", "<i4", "<f4", "<f8", ">i2", ">f4")


@dataclass(frozen=True)
class Scan:
    """What was written.

    Args:
        path: the file.
        array: its voxels.
        affine: in its sform.
        image: the same in memory.
    """

    path: Path
    array: np.ndarray
    affine: np.ndarray
    image: nib.Nifti1Image

    @property
    def value(self) -> dict[str, Any]:
        return {"voxels": self.array.astype(np.float64), "affine": self.affine}


def write_plain(folder: Path, draw: Draw) -> Scan:
    kind = np.dtype(TYPES[draw.integers(len(TYPES))])
    shape = tuple(int(size) for size in draw.integers(3, 9, 3))
    array = draw.integers(0, 100, shape).astype(kind)
    array.flat[:2] = 0, 99  # never one value alone
    affine = np.diag([*draw.choice([-1, 1], 3) * draw.uniform(0.5, 3, 3), 1.0])
    affine[:3, 3] = draw.uniform(-90, 90, 3)
    affine = affine[[*draw.permutation(3), 3]].astype(np.float32).astype(np.float64)
    form = nib.Nifti1Image if draw.random() < 0.8 else nib.Nifti2Image
    image = form(array, affine, form.header_class(endianness=">" if kind.byteorder == ">" else "<"), dtype=kind)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    return save(Scan(folder / "scan.nii", array, affine, image))


def write_compressed(folder: Path, draw: Draw) -> Scan:
    scan = write_plain(folder, draw)
    scan.path.unlink()
    return save(replace(scan, path=folder / "scan.nii.gz"), level=int(draw.integers(1, 10)))


def save(scan: Scan, data: bytes | None = None, level: int = 1) -> Scan:
    data = scan.image.to_bytes() if data is None else data
    scan.path.write_bytes(gzip.compress(data, level, mtime=0) if scan.path.suffix == ".gz" else data)
    return scan


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As a run does: a list, headers, voxels and their checks; and a result with the header of the input."""
    from common.cohorts import check_arrays, read_cohort
    from common.errors import DatasetError
    from common.formats.background import zero_background
    from common.formats.nifti import read_header, read_nifti, save_like
    from common.formats.volumes import read_volume, volume_stamp
    from common.formats.voxel_hashes import hash_voxels

    path = next(folder.glob("scan.nii*"))
    datalist = output / "list.csv"
    datalist.write_text(f"subject,t1\np,{path}\n")
    (record,) = read_cohort(datalist=datalist, need_seg=False, modalities=("t1",))
    volume = read_volume(record["t1"])
    problems = check_arrays({"t1": volume.array}, None, (1, 2, 4), record)
    if problems:
        raise DatasetError(problems)
    volume_stamp(path)
    hash_voxels(zero_background(volume.array), volume.affine)
    result = np.zeros(volume.array.shape, np.uint8)
    save_like(output / "result.nii.gz", result, read_header(path), "a result")
    again = read_nifti(output / "result.nii.gz")
    assert again.array.shape == volume.array.shape, "a result has another shape"
    assert np.allclose(again.affine, volume.affine, atol=1e-3, rtol=1e-3), "a result has another affine"
    return {"voxels": volume.array.astype(np.float64), "affine": volume.affine}


def has_header(folder: Path) -> bool:
    data = next(folder.glob("scan.nii*")).read_bytes()
    if data[:2] == b"\x1f\x8b":
        try:
            data = zlib.decompressobj(31).decompress(data, 4)
        except zlib.error:
            return False
    return data[:4] in {struct.pack(order + "i", size) for order in "<>" for size in (348, 540)}


def on_image(change: Callable[[nib.Nifti1Image, Draw], None]) -> Callable[[Path, Scan, Draw], Truth]:
    """A change that leaves voxels and affine as they are."""

    def apply(folder: Path, scan: Scan, draw: Draw) -> Truth:
        change(scan.image, draw)
        return must_be(save(scan).value)

    return apply


def texts(image: nib.Nifti1Image, draw: Draw) -> None:
    for field in ("descrip", "aux_file", "intent_name", *(["db_name"] if "db_name" in image.header else [])):
        image.header[field] = draw.bytes(int(draw.integers(0, 10))).rstrip(b"\0")


def extension(image: nib.Nifti1Image, draw: Draw) -> None:
    codes = (0, 2, 4, 6, 44)
    for _ in range(int(draw.integers(1, 4))):
        text = draw.bytes(int(draw.integers(1, 200)))
        image.header.extensions.append(nib.nifti1.Nifti1Extension(codes[draw.integers(2, 4)], text))


def idle_fields(image: nib.Nifti1Image, draw: Draw) -> None:
    """Fields that say nothing about where and what the voxels are."""
    header = image.header
    for field in ("cal_min", "cal_max", "toffset", "slice_duration"):
        header[field] = draw.normal() * 10.0 ** draw.integers(-5, 6)
    header["slice_code"], header["intent_code"] = draw.integers(0, 7), draw.choice([0, 3, 1001, 1002])
    header["slice_start"], header["slice_end"] = draw.integers(0, 3, 2)
    header["xyzt_units"] = 2 + 8 * draw.integers(0, 4)


def one_form(image: nib.Nifti1Image, draw: Draw) -> None:
    if draw.integers(2):
        image.set_sform(image.affine, int(draw.integers(1, 5)))
    else:
        image.set_qform(image.affine, int(draw.integers(1, 5)))


def another_type(folder: Path, scan: Scan, draw: Draw) -> Truth:
    kind = TYPES[draw.integers(len(TYPES))]
    image = type(scan.image)(scan.array.astype(kind), scan.affine, dtype=kind)
    return must_be(save(replace(scan, image=image)).value)


def scaled(folder: Path, scan: Scan, draw: Draw) -> Truth:
    slope, inter = float(np.float32(draw.uniform(0.01, 20))), float(np.float32(draw.normal() * 50))
    header = scan.image.header
    data = bytearray(scan.image.to_bytes())
    place = header.template_dtype.fields["scl_slope"][1]
    kind = header.template_dtype["scl_slope"].newbyteorder(header.endianness)
    size = kind.itemsize
    data[place : place + size], data[place + size : place + 2 * size] = (
        np.array(value, kind).tobytes() for value in (slope, inter)
    )
    save(scan, bytes(data))
    return must_be({**scan.value, "voxels": scan.array.astype(np.float64) * slope + inter})


def unscaled(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """A slope of 0 means that there is none."""
    set_field(scan, "scl_slope", 0.0)
    return must_be(scan.value)


def offset(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """Voxels begin further behind, or are said to begin at 0, which means right behind the header."""
    data = scan.image.to_bytes()
    start = scan.image.header.single_vox_offset
    if draw.integers(2):
        set_field(scan, "vox_offset", 0)
        return must_be(scan.value)
    more = 16 * int(draw.integers(1, 20))
    set_field(scan, "vox_offset", start + more)
    changed = uncompressed(scan)
    save(scan, changed[:start] + bytes(more) + data[start:])
    return must_be(scan.value)


def trailing_axes(folder: Path, scan: Scan, draw: Draw) -> Truth:
    shape = scan.array.shape + (1,) * int(draw.integers(1, 5))
    image = type(scan.image)(scan.array.reshape(shape), scan.affine, dtype=scan.array.dtype)
    return must_be(save(replace(scan, image=image)).value)


def trailing_bytes(folder: Path, scan: Scan, draw: Draw) -> Truth:
    save(scan, uncompressed(scan) + draw.bytes(int(draw.integers(1, 100))))
    return must_be(scan.value)


def other_ending(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """A compressed file may be called .nii, and a plain one .nii.gz."""
    scan.path.rename(folder / ("scan.nii" if scan.path.suffix == ".gz" else "scan.nii.gz"))
    return must_be(scan.value)


def members(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """Gzip allows several streams one after the other, names and comments."""
    data = uncompressed(scan)
    parts = sorted(int(place) for place in draw.integers(1, len(data), 2))
    pieces = (data[: parts[0]], data[parts[0] : parts[1]], data[parts[1] :])
    buffer = io.BytesIO()
    for piece in pieces:
        with gzip.GzipFile(
            "some name.nii", "wb", int(draw.integers(0, 10)), buffer, mtime=int(draw.integers(2**31))
        ) as file:
            file.write(piece)
    scan.path.write_bytes(buffer.getvalue() + bytes(int(draw.integers(0, 600))))
    return must_be(scan.value)


def one_field(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """Any value in any field of the header."""
    names = [name for name in scan.image.header if name not in ("sizeof_hdr", "magic")]
    for _ in range(int(draw.integers(1, 4))):
        set_field(scan, names[draw.integers(len(names))], draw)
    return ANYTHING


def set_field(scan: Scan, name: str, value: Any) -> None:
    """Write a field of the header into the file; a ``Draw`` for odd values."""
    header = scan.image.header
    kind, place = header.template_dtype.fields[name][:2]
    kind = kind.newbyteorder(header.endianness)
    if isinstance(value, np.random.Generator):
        odd = (0, 1, -1, 3, 7, 8, 127, 255, 32767, -32768, 2**31 - 1, 2**62, 1e38, -1e38, np.nan, np.inf, 1e-40)
        with np.errstate(all="ignore"):
            content = (
                np.asarray(value.choice(odd, kind.shape or 1)).astype(kind.base, casting="unsafe").tobytes()
                if kind.base.kind in "iuf"
                else value.bytes(kind.itemsize)
            )
        if value.random() < 0.3:
            content = value.bytes(kind.itemsize)
    else:
        content = np.array(value, kind).tobytes()
    data = bytearray(uncompressed(scan))
    data[place : place + len(content)] = content
    save(scan, bytes(data))


def uncompressed(scan: Scan) -> bytes:
    data = scan.path.read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def on_content(change: Callable[[bytes, Draw], bytes]) -> Callable[[Path, Scan, Draw], Truth]:
    """Changed bytes under a compression that is sound."""

    def apply(folder: Path, scan: Scan, draw: Draw) -> Truth:
        save(scan, change(uncompressed(scan), draw))
        return ANYTHING

    return apply


def flip_header(data: bytes, draw: Draw) -> bytes:
    return flip(data, draw, 4, 348)


def cut_voxels(folder: Path, scan: Scan, draw: Draw) -> Truth:
    """Fewer voxels than the header promises."""
    data = uncompressed(scan)
    save(scan, cut(data, draw, len(data) - scan.array.nbytes))
    return must_be_refused(scan)


SAME = (
    Mutation("nothing", lambda folder, scan, draw: must_be(scan.value)),
    Mutation("texts", on_image(texts)),
    Mutation("extensions", on_image(extension)),
    Mutation("fields without a meaning here", on_image(idle_fields)),
    Mutation("qform or sform code", on_image(one_form)),
    Mutation("another data type", another_type),
    Mutation("slope and intercept", scaled),
    Mutation("slope 0", unscaled),
    Mutation("where voxels begin", offset),
    Mutation("trailing axes of length one", trailing_axes),
    Mutation("bytes behind the voxels", trailing_bytes),
    Mutation("the other ending", other_ending),
    Mutation("cut voxels", cut_voxels, 1.5),
    Mutation("any field", one_field, 6.0),
    Mutation("content: bytes flip_header", on_content(flip_header), 3.0),
)


def the_file(folder: Path, scan: Scan, draw: Draw) -> Path:
    return scan.path


def value_or_refusal(scan: Scan) -> Truth:
    return must_be_or_refused(scan.value)


COMPRESSED = (
    Mutation("several streams", members),
    Mutation("content: bytes flip", on_content(flip), 2.0),
    Mutation("content: bytes scramble", on_content(scramble)),
    Mutation("compressed bytes flip", on_file(the_file, flip, value_or_refusal), 2.0),
    Mutation("compressed bytes scramble", on_file(the_file, scramble, value_or_refusal)),
    Mutation("compressed bytes cut", on_file(the_file, cut, must_be_refused)),
)

READERS = (
    Reader("nifti", write_plain, (*SAME, *on_bytes("file", the_file)), has_header, read),
    Reader("nifti_gz", write_compressed, (*SAME, *COMPRESSED), has_header, read),
)
