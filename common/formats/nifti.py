"""Reading NIfTI files fast, and refusing broken ones.

ITK reads a truncated ``.nii.gz`` without an exception, nibabel misses a wrong checksum. Here ``isal`` decompresses
the file to its end, which finds both, and nibabel interprets the bytes. Scale factors are applied. How much may be
decompressed is known from the header, which is read first.
"""

from __future__ import annotations

import io
import logging
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import nibabel as nib
import numpy as np
from isal import igzip, isal_zlib
from nibabel.arrayproxy import ArrayProxy
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError, HeaderTypeError
from nibabel.volumeutils import apply_read_scaling
from nibabel.wrapstruct import WrapStructError

from common.errors import DatasetError, Problem
from common.files import atomic_path
from common.formats.limits import MOST_AHEAD, affine_fault, endless, fitting_memory, volume_too_large

GZIP_MAGIC = b"\x1f\x8b"
FETCH_AGAIN = "Download or copy the file again."
CONVERT_AGAIN = "Convert it again from its source."
DAMAGED = (EOFError, OSError, ValueError, cast(type[Exception], isal_zlib.error))
NOT_NIFTI = (
    *(ImageFileError, HeaderDataError, HeaderTypeError, WrapStructError),
    *(ValueError, KeyError, EOFError, OverflowError),
)

logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # what it repairs in headers is told here if it matters

PathLike = str | os.PathLike[str]

SCANNER = 1
"""NIfTI's code of coordinates in a scanner."""

MOST_APART = 1.0
"""In mm, between the two places that a header gives for a voxel."""

MOST_BEHIND = 2**20
"""Bytes behind the last voxel that are read over."""

QUATERNION = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
"""What a qform consists of, besides the sizes of voxels."""

TEXT_FIELDS = ("data_type", "db_name", "descrip", "aux_file", "intent_name", "unused_str")


@dataclass(frozen=True)
class Volume:
    """A NIfTI file in memory.

    Args:
        array: voxels of shape (x, y, z) or (x, y, z, c) in the file's own orientation, not to be written to; integers
            stay integers unless the file has a scale factor.
        affine: (4, 4), voxel indices to millimetres in RAS+.
        header: the NIfTI header.
    """

    array: np.ndarray
    affine: np.ndarray
    header: nib.Nifti1Header


def brats_affine(rows: int) -> np.ndarray:
    """BraTS's affine (4, 4): voxels of 1 mm; x grows to the left, y backwards from the last of ``rows`` (LPS)."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[1, 3] = rows - 1
    return affine


def read_nifti(path: PathLike) -> Volume:
    """Read a ``.nii`` or ``.nii.gz`` file whole.

    Raises:
        DatasetError: the file is missing, empty, truncated, damaged, no NIfTI, or does not fit into the memory.
    """
    with fitting_memory(path):
        data = _read_bytes(path)
        with _opened(io.BytesIO(data), path) as stream:
            image = _interpret(stream, path)
        stored = cast(ArrayProxy, image.dataobj)
        end = stored.offset + math.prod(image.shape) * image.get_data_dtype().itemsize
        data = _decompress(data, end + MOST_BEHIND, path)
        if end > len(data):
            raise DatasetError(Problem("the file ends before its last voxel", str(path), FETCH_AGAIN))
        return Volume(_voxels(stored, data), np.asarray(image.affine, dtype=np.float64), image.header)


def _voxels(stored: ArrayProxy, data: bytes) -> np.ndarray:
    """The voxels with their scale factor; without one they are not copied, and are read-only."""
    array = np.ndarray(stored.shape, stored.dtype, buffer=data, offset=stored.offset, order="F")
    return apply_read_scaling(array, stored.slope, stored.inter) if (stored.slope, stored.inter) != (1, 0) else array


def read_header(path: PathLike) -> nib.Nifti1Image:
    """The file's header as an image whose voxels must not be read: ``.shape``, ``.affine``, ``.header``.

    Raises:
        DatasetError: the file is missing, empty, or no NIfTI.
    """
    if problem := endless(path):
        raise DatasetError(problem)
    try:
        with Path(path).open("rb") as file, _opened(file, path) as stream:
            return _interpret(stream, path)
    except FileNotFoundError as error:
        raise DatasetError(_missing(path)) from error
    except OSError as error:
        raise DatasetError(Problem("its header cannot be read", str(path), FETCH_AGAIN)) from error


@contextmanager
def _opened(file: IO[bytes], path: PathLike) -> Iterator[IO[bytes]]:
    """The file, decompressed where its content is compressed."""
    compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    try:
        yield cast(IO[bytes], igzip.GzipFile(fileobj=file)) if compressed else file
    except DAMAGED as error:
        what = "the compressed file is truncated or damaged" if compressed else "its header cannot be read"
        raise DatasetError(Problem(what, str(path), FETCH_AGAIN)) from error


def _read_bytes(path: PathLike) -> bytes:
    if problem := endless(path):
        raise DatasetError(problem)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DatasetError(_missing(path)) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DatasetError(
            Problem(f"cannot be read ({reason})", str(path), "Check the path and your rights.")
        ) from error


def _decompress(data: bytes, most: int, path: PathLike) -> bytes:
    """All that is compressed, to its checksum; refused where it is more than ``most`` bytes."""
    if not data.startswith(GZIP_MAGIC):
        return data
    try:
        content = igzip.GzipFile(fileobj=io.BytesIO(data)).read(most + 1)
    except DAMAGED as error:
        raise DatasetError(Problem("the compressed file is truncated or damaged", str(path), FETCH_AGAIN)) from error
    if len(content) > most:
        raise DatasetError(Problem("the compressed file goes on behind its last voxel", str(path), FETCH_AGAIN))
    return content


def _interpret(stream: IO[bytes], path: PathLike) -> nib.Nifti1Image:
    start = stream.read(4)
    stream.seek(0)
    kind = {348: nib.Nifti1Image, 540: nib.Nifti2Image}.get(_header_size(start))
    if not start:
        raise DatasetError(Problem("the file is empty", str(path), FETCH_AGAIN))
    if kind is None:
        hint = "NIfTI-1 or NIfTI-2 is expected (.nii or .nii.gz)."
        raise DatasetError(Problem("the file is not NIfTI", str(path), hint))
    try:
        header = kind.header_class(stream.read(kind.header_class.sizeof_hdr), check=False)
        stream.seek(0)
        image = kind.from_stream(cast(io.IOBase, stream))
    except NOT_NIFTI as error:
        raise DatasetError(Problem(f"its NIfTI header is damaged ({error})", str(path), FETCH_AGAIN)) from error
    if any(size < 0 for size in image.shape):
        raise DatasetError(Problem(f"its NIfTI header is damaged (shape {image.shape})", str(path), FETCH_AGAIN))
    if too_large := volume_too_large(image.shape, image.get_data_dtype().itemsize, path):
        raise DatasetError(too_large)
    if (offset := cast(ArrayProxy, image.dataobj).offset) > MOST_AHEAD:
        what = f"its NIfTI header is damaged (voxels would begin {offset:.3g} bytes behind its start)"
        raise DatasetError(Problem(what, str(path), FETCH_AGAIN))
    _check_affine(image, header, path)
    return _as_the_standard_reads(image, stream)


def _check_affine(image: nib.Nifti1Image, stored: nib.Nifti1Header, path: PathLike) -> None:
    """Refuse an affine by which nothing can be measured.

    Args:
        image: with the header that nibabel repaired, which makes 1 mm of a voxel size of 0.
        stored: the header as it is in the file.
        path: of the file.
    """
    if not image.header["sform_code"] and not np.all(stored["pixdim"][1:4]):
        raise DatasetError(Problem("it does not tell the size of its voxels", str(path), CONVERT_AGAIN))
    qform = (*stored["pixdim"][:4], *(stored[field] for field in QUATERNION))
    if image.header["qform_code"] and not np.isfinite(qform).all():
        raise DatasetError(Problem("its qform holds values that are not finite", str(path), CONVERT_AGAIN))
    if fault := affine_fault(image.affine):
        raise DatasetError(Problem(fault, str(path), CONVERT_AGAIN))


def _as_the_standard_reads(image: nib.Nifti1Image, stream: IO[bytes]) -> nib.Nifti1Image:
    """Voxels begin behind the header, also where ``vox_offset`` is 0; axes of length one after the third are dropped.

    nibabel would read the header as voxels.
    """
    stored = cast(ArrayProxy, image.dataobj)
    start = max(stored.offset, image.header.single_vox_offset)
    shape = (*image.shape[:3], *(size for size in image.shape[3:] if size != 1))
    if (start, shape) == (stored.offset, image.shape):
        return image
    layout = (shape, image.get_data_dtype(), start, stored.slope, stored.inter)
    return type(image)(ArrayProxy(stream, layout), image.affine, image.header)


def _header_size(start: bytes) -> int:
    """``sizeof_hdr``, which is 348 in NIfTI-1 and 540 in NIfTI-2, in either byte order."""
    sizes = (int.from_bytes(start, "little"), int.from_bytes(start, "big"))
    return next((size for size in sizes if size in (348, 540)), 0)


def _missing(path: PathLike) -> Problem:
    return Problem("the file does not exist", str(path), "Check the path; the data set may be incomplete.")


def save_like(path: str | Path, array: np.ndarray, source: nib.Nifti1Image, description: str) -> None:
    """Write voxels with the affine and the header of the file that they belong to, atomically.

    Both of the header's forms, qform and sform, get the affine that is used here: viewers differ in which they read. A
    sheared affine is none that a qform can say: it is left unset.

    Args:
        path: of the new file.
        array: (x, y, z) or (x, y, z, channel), as stored in the source; its type is kept.
        source: what the header is taken from, but for texts and scale factors.
        description: the new file's ``descrip``, 79 characters at most.

    Raises:
        OutputError: the file cannot be written.
    """
    header = without_texts(source.header)
    header.set_data_dtype(array.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"], header["cal_max"] = 0, 0
    header["descrip"] = description.encode("ascii")
    image = type(source)(array, source.affine, header)
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    image.set_sform(source.affine, sform or qform or SCANNER)
    image.set_qform(source.affine, qform or sform or SCANNER)
    if conflict_of_forms(image.header):  # a qform knows rotations, and no shear
        image.set_qform(None)
    with atomic_path(path) as temporary:
        nib.save(image, temporary)


def conflict_of_forms(header: nib.Nifti1Header) -> str | None:
    """What leaves the orientation of a file open: programs may then show its left side on the right.

    Returns:
        ``None`` where the qform and the sform say the same, or only one of them is set.
    """
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            sform, qform = header.get_sform(coded=True)[0], header.get_qform(coded=True)[0]
    except ValueError:
        return "its qform is no rotation"
    if sform is None and qform is None:
        return "no qform and no sform say where left and right are"
    if sform is None or qform is None:
        return None
    corner = np.append(np.asarray(header.get_data_shape()[:3]) - 1, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        apart = max(np.linalg.norm((sform - qform)[:3, 3]), np.linalg.norm(((sform - qform) @ corner)[:3]))
    return None if apart < MOST_APART else f"its qform and sform put voxels up to {apart:.0f} mm apart"


def without_texts(header: nib.Nifti1Header) -> nib.Nifti1Header:
    """A copy of a NIfTI header without its free texts and extensions, where converters may write names of patients."""
    clean = header.copy()
    for field in TEXT_FIELDS:
        if field in clean:
            clean[field] = b""
    clean.extensions.clear()
    return clean
