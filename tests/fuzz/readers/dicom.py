"""DICOM series in several transfer syntaxes: which files are slices, in which order, and their pixels."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from tests.fuzz.inputs import ANYTHING, MUST_BE_REFUSED, Draw, Mutation, Reader, Truth, must_be
from tests.fuzz.mutations import cut, flip, on_bytes

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
SYNTAXES = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    "jpeg",
    "jpeg2000",
)
UNCOMPRESSED = SYNTAXES[:3]
THICKNESS, SPACING = 2.0, (0.5, 0.75)


@dataclass
class Series:
    """What was written.

    Args:
        folder: of the files.
        slices: the data sets, lowest first; none for a series that ITK wrote.
        stack: (x, y, z) rescaled pixels.
        syntax: of the files.
    """

    folder: Path
    slices: list[Dataset]
    stack: np.ndarray
    syntax: str

    @property
    def value(self) -> dict[str, Any]:
        affine = np.diag([-SPACING[0], -SPACING[1], THICKNESS, 1.0])
        affine[:3, 3] = -10, 20, 5
        return {"voxels": self.stack.astype(np.float64), "affine": affine}

    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


def write(folder: Path, draw: Draw) -> Series:
    return write_syntax(folder, draw, SYNTAXES[draw.integers(len(SYNTAXES))])


def write_syntax(folder: Path, draw: Draw, syntax: str) -> Series:
    folder = folder / "series"
    folder.mkdir()
    rows, columns, count = (int(size) for size in draw.integers((16, 16, 3), (25, 25, 6)))  # GDCM refuses RLE of less
    pixels = draw.integers(0, 2000, (count, rows, columns)).astype(np.int16)
    series = Series(folder, [], pixels.transpose(2, 1, 0), syntax)
    if syntax in ("jpeg", "jpeg2000"):
        return _write_by_itk(series, pixels, syntax)
    series.slices = [_slice(plane, number, syntax) for number, plane in enumerate(pixels)]
    return save(series, draw)


def save(series: Series, draw: Draw) -> Series:
    """Write the slices under names that say nothing of their order."""
    for path in series.files():
        path.unlink()
    names = draw.permutation(len(series.slices))
    for name, content in zip(names, series.slices, strict=True):
        content.save_as(series.folder / f"{name:03d}.dcm", enforce_file_format=True)
    return series


def _write_by_itk(series: Series, pixels: np.ndarray, syntax: str) -> Series:
    from common.phantoms.writing.dicom_writer import write_slice

    for number, plane in enumerate(pixels):
        path, place = series.folder / f"{number:03d}.dcm", (10.0, -20.0, 5 + THICKNESS * number)
        write_slice(path, plane, place, SPACING, "series", thickness=THICKNESS, number=number, compression=syntax)
        series.slices.append(pydicom.dcmread(path))
    return series


def _slice(plane: np.ndarray, number: int, syntax: str) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MR_IMAGE
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if syntax == RLELossless else syntax
    content = Dataset()
    content.file_meta = meta
    content.SOPClassUID, content.SOPInstanceUID = MR_IMAGE, meta.MediaStorageSOPInstanceUID
    content.SeriesInstanceUID, content.StudyInstanceUID, content.Modality = "1.2.3.100", "1.2.3.200", "MR"
    content.InstanceNumber = number + 1
    content.ImagePositionPatient = [10.0, -20.0, 5 + THICKNESS * number]
    content.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    content.PixelSpacing, content.SliceThickness = [SPACING[1], SPACING[0]], THICKNESS
    content.SpacingBetweenSlices = THICKNESS
    content.Rows, content.Columns = plane.shape
    content.SamplesPerPixel, content.PhotometricInterpretation = 1, "MONOCHROME2"
    content.BitsAllocated, content.BitsStored, content.HighBit, content.PixelRepresentation = 16, 16, 15, 1
    order = ">i2" if syntax == ExplicitVRBigEndian else "<i2"
    content.PixelData = plane.astype(order).tobytes()
    content["PixelData"].VR = "OW"
    if syntax == RLELossless:
        content.compress(RLELossless, plane)
    return content


def read(folder: Path, output: Path) -> dict[str, Any]:
    """As MGMT's bundle does, and as a volume."""
    from common.cohorts.phantom_mark import is_phantom
    from common.formats.dicom import read_series
    from common.formats.series import list_slices

    series = folder / "series"
    listed = list_slices(series)
    middle = listed.read(len(listed) // 2)
    assert middle.ndim == 2 and middle.dtype == np.float32, "a slice has an odd shape or type"
    is_phantom({"t1": str(series)})
    volume = read_series(series)
    assert volume.array.ndim == 3 and np.isfinite(volume.affine).all(), "the volume has an odd shape or affine"
    assert np.isfinite(volume.array).all(), "some pixels are not finite"
    return {"voxels": volume.array.astype(np.float64), "affine": volume.affine}


def has_header(folder: Path) -> bool:
    starts = [path.read_bytes()[:132] for path in (folder / "series").iterdir()]
    return sum(start[128:] == b"DICM" for start in starts) >= len(starts) - 1 and bool(starts)


def on_slices(change: Callable[[Dataset, Draw], None], truth: Callable[[Series], Truth]) -> Callable[..., Truth]:
    """A change of every slice."""

    def apply(folder: Path, series: Series, draw: Draw) -> Truth:
        state = int(draw.integers(2**31))
        for content in series.slices:
            change(content, np.random.default_rng(state))
        save(series, draw)
        return truth(series)

    return apply


def same(series: Series) -> Truth:
    return must_be(series.value)


def texts(content: Dataset, draw: Draw) -> None:
    """Names, comments, private elements and sequences, which mean nothing here."""
    names = ("Müller^Jörg", "Yamada^Tarou=山田^太郎", "x" * 64, "", "A\\B")
    content.SpecificCharacterSet = "ISO_IR 192"
    content.PatientName, content.PatientID = names[draw.integers(4)], names[draw.integers(4)]
    content.ImageComments = names[draw.integers(4)] * 20
    content.private_block(0x0029, "SOMEBODY", create=True).add_new(0x10, "OB", draw.bytes(40))
    item = Dataset()
    item.CodeValue, item.CodeMeaning = "1", names[draw.integers(4)]
    content.ProcedureCodeSequence = Sequence([item] * int(draw.integers(1, 4)))
    content.WindowCenter, content.WindowWidth = str(draw.integers(0, 99)), str(draw.integers(1, 99))
    content.InstanceNumber = int(draw.integers(1, 99))


def icon(content: Dataset, draw: Draw) -> None:
    """A small picture before the pixels, with pixels of its own."""
    item = Dataset()
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 4, 4, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 8, 8, 7, 0
    item.PixelData = draw.bytes(16)
    item["PixelData"].VR = "OB"
    content.IconImageSequence = Sequence([item])


def rescaled(folder: Path, series: Series, draw: Draw) -> Truth:
    slope, intercept = round(float(draw.uniform(0.1, 4)), 3), float(draw.integers(-1000, 1000))
    for content in series.slices:
        content.RescaleSlope, content.RescaleIntercept = str(slope), str(int(intercept))
    save(series, draw)
    return must_be({**series.value, "voxels": series.stack * slope + intercept})


def inverted(folder: Path, series: Series, draw: Draw) -> Truth:
    """MONOCHROME1: the largest stored value is the darkest."""
    for content in series.slices:
        content.PhotometricInterpretation = "MONOCHROME1"
    save(series, draw)
    return must_be({**series.value, "voxels": -1.0 - series.stack})


def padded(folder: Path, series: Series, draw: Draw) -> Truth:
    """The padding value becomes the darkest of the others in each slice."""
    if series.syntax not in UNCOMPRESSED:
        return must_be(series.value)
    planes = []
    for content in series.slices:
        content.add_new(0x00280120, "SS", -2000)
        order = ">i2" if series.syntax == ExplicitVRBigEndian else "<i2"
        plane = np.frombuffer(content.PixelData, order).reshape(content.Rows, content.Columns).copy()
        plane[0], darkest = -2000, plane[1:].min()
        content.PixelData = plane.tobytes()
        planes.append(np.where(plane == -2000, darkest, plane))
    save(series, draw)
    return must_be({**series.value, "voxels": np.stack(planes, axis=-1).swapaxes(0, 1)})


def files_beside(folder: Path, series: Series, draw: Draw) -> Truth:
    """Copies of a slice, and files that are no images."""
    first = series.files()[0]
    shutil.copy(first, series.folder / "copy.dcm")
    (series.folder / "notes.txt").write_bytes(draw.bytes(int(draw.integers(0, 300))))
    (series.folder / ".hidden").write_bytes(b"x")
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.SOPClassUID, report.SOPInstanceUID, report.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "1.2.9", "SR"
    report.ContentDate, report.ImageComments = "20200101", "a report" * 200
    report.save_as(series.folder / "report.dcm", enforce_file_format=True)
    return must_be(series.value)


def no_spacing(content: Dataset, draw: Draw) -> None:
    del content.PixelSpacing


def cut_pixels(folder: Path, series: Series, draw: Draw) -> Truth:
    """An uncompressed slice that lacks pixels."""
    path = series.files()[0]
    data = path.read_bytes()
    if series.syntax not in UNCOMPRESSED:
        path.write_bytes(cut(data, draw, 200))
        return ANYTHING
    size = int(series.slices[0].Rows) * int(series.slices[0].Columns) * 2
    path.write_bytes(cut(data, draw, len(data) - size))
    return MUST_BE_REFUSED


def any_element(folder: Path, series: Series, draw: Draw) -> Truth:
    """Odd values of elements that say what and where the pixels are, in one slice or in all."""
    names = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel")
    texts = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept")
    others = ("PhotometricInterpretation", "NumberOfFrames", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
    more = ("SpacingBetweenSlices", "PlanarConfiguration", "PixelPaddingValue", "SmallestImagePixelValue")
    name = (*names, *texts, *texts, *others, *more)[
        draw.integers(len(names) + 2 * len(texts) + len(others) + len(more))
    ]
    tag = pydicom.datadict.tag_for_keyword(name)
    kind = pydicom.datadict.dictionary_VR(tag).split(" ")[0]
    chosen = series.slices if draw.integers(2) else series.slices[: int(draw.integers(1, 3))]
    value = _odd(kind, draw)
    for content in chosen:
        content.pop(tag, None)
        if value is not None:
            element = pydicom.DataElement(tag, kind, None)
            element._value = value
            content[tag] = element
    try:
        save(series, draw)
    except (ValueError, TypeError, OverflowError, AttributeError):  # pydicom does not write all of these
        return MUST_BE_REFUSED if not series.files() else ANYTHING
    return ANYTHING


def _odd(kind: str, draw: Draw) -> Any:
    if draw.random() < 0.2:
        return None
    if kind == "US":
        return int(draw.choice([0, 1, 2, 3, 7, 8, 12, 15, 16, 17, 32, 64, 255, 1000, 32767, 65535]))
    if kind == "SS":
        return int(draw.choice([-32768, -1, 0, 1, 100, 32767]))
    numbers = ["0", "-1", "1e-9", "1e9", "1e400", "nan", "inf", "1,5", "", "abc", "0.5", "1" * 16, "-0"]
    return [str(draw.choice(numbers)) for _ in range(int(draw.choice([1, 2, 3, 6, 7])))]


def on_one_file(change: Callable[[bytes, Draw], bytes]) -> Callable[..., Truth]:
    def apply(folder: Path, series: Series, draw: Draw) -> Truth:
        path = one_file(folder, series, draw)
        path.write_bytes(change(path.read_bytes(), draw))
        return ANYTHING

    return apply


def flip_header(data: bytes, draw: Draw) -> bytes:
    """Bytes behind the preamble and before the pixels, mostly."""
    return flip(data, draw, 132, min(len(data), 900))


def one_file(folder: Path, series: Series, draw: Draw) -> Path:
    files = series.files()
    return files[int(draw.integers(len(files)))]


MUTATIONS = (
    Mutation("nothing", lambda folder, series, draw: same(series), 2.0),
    Mutation("texts", on_slices(texts, same), 2.0),
    Mutation("an icon", on_slices(icon, same)),
    Mutation("slope and intercept", rescaled),
    Mutation("MONOCHROME1", inverted),
    Mutation("padding", padded),
    Mutation("files beside", files_beside),
    Mutation("no pixel spacing", on_slices(no_spacing, lambda _: MUST_BE_REFUSED)),
    Mutation("cut pixels", cut_pixels, 1.5),
    Mutation("any element", any_element, 6.0),
    Mutation("file: bytes flip_header", on_one_file(flip_header), 3.0),
    *on_bytes("file", one_file),
)

READERS = (Reader("dicom", write, MUTATIONS, has_header, read),)
